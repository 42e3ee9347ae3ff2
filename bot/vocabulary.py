"""The words the rooms share: kinds of evidence, tags of findings, steps, statuses, failures and events.

Tags are what parsers and checks emit, the table of rules needs and the catalogue words. Steps are the contract's.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A kind of evidence, as the corpus and the contract name it."""

    NSLOOKUP = "nslookup"
    PING = "ping"
    FIREWALL = "firewall"
    LISTENING = "listening"
    PBX_LOG = "pbx_log"
    MICROSIP_LOG = "microsip_log"
    TRACEROUTE = "traceroute"
    MICROSIP_STATUS = "microsip_status"  # the words in MicroSIP's status bar, typed or chosen on a button
    MICROSIP_INI = "microsip_ini"
    MICROSIP_SCREEN = "microsip_screen"
    EXTENSION = "extension"  # the user's own number, typed
    OTHER_NETWORK = "other_network"  # 'does it work over the phone's hotspot?', a button
    LIVE_REGISTER = "live_register"  # the user presses Save while the PBX log is watched


class Tag(StrEnum):
    """What can be known. USER_*: seen from the user's PC; PHONE_*: said by MicroSIP; ACCOUNT_*: its settings;
    LOG_*: written by the PBX about this user; SERVER_*: measured or pasted from the PBX host."""

    # nslookup, ping, traceroute, netsh on the user's PC
    USER_DNS_OK = "user_dns_ok"  # addresses
    USER_DNS_ANSWERS = "user_dns_answers"  # addresses; what is right is not known
    USER_DNS_WRONG_IP = "user_dns_wrong_ip"  # addresses
    USER_DNS_NXDOMAIN = "user_dns_nxdomain"
    USER_DNS_TIMEOUT = "user_dns_timeout"
    USER_DNS_SERVFAIL = "user_dns_servfail"
    USER_DNS_REFUSED = "user_dns_refused"
    USER_DNS_NO_ADDRESS = "user_dns_no_address"
    USER_DNS_ERROR = "user_dns_error"
    USER_OTHER_DNS_OK = "user_other_dns_ok"  # addresses: a name server asked by hand knows what the PC's own does not
    USER_LOOKED_UP_OTHER_NAME = "user_looked_up_other_name"  # host
    USER_PING_CLEAN = "user_ping_clean"  # rtt_ms
    USER_PING_LOSS = "user_ping_loss"  # loss_pct
    USER_PING_SLOW = "user_ping_slow"  # rtt_ms
    USER_PING_TIMEOUT = "user_ping_timeout"
    USER_PING_UNREACHABLE = "user_ping_unreachable"
    USER_PING_GENERAL_FAILURE = "user_ping_general_failure"
    USER_PING_UNKNOWN_HOST = "user_ping_unknown_host"
    USER_PING_WRONG_IP = "user_ping_wrong_ip"  # address
    USER_TRACE_REACHED = "user_trace_reached"
    USER_TRACE_NOT_REACHED = "user_trace_not_reached"
    USER_TRACE_UNKNOWN_HOST = "user_trace_unknown_host"
    USER_FIREWALL_BLOCKS = "user_firewall_blocks"  # netsh
    USER_FIREWALL_OPEN = "user_firewall_open"
    USER_FIREWALL_NO_RULE = "user_firewall_no_rule"
    # MicroSIP speaks: status bar or log
    PHONE_ONLINE = "phone_online"  # status bar
    PHONE_CONNECTING = "phone_connecting"
    PHONE_SAYS_TIMEOUT = "phone_says_timeout"  # 408
    PHONE_SAYS_NO_SERVER = "phone_says_no_server"  # 502: name not resolved
    PHONE_SAYS_UNAVAILABLE = "phone_says_unavailable"  # 503: TCP/TLS port closed or sending failed
    PHONE_SAYS_WRONG_PASSWORD = "phone_says_wrong_password"  # noqa: S105 - a tag: 401, and 403 of any cause
    PHONE_SAYS_NOT_FOUND = "phone_says_not_found"  # 404
    PHONE_SAYS_SERVER_ERROR = "phone_says_server_error"  # 500
    PHONE_SAYS_OTHER_CODE = "phone_says_other_code"  # code
    PHONE_SAYS_IDLE = "phone_says_idle"  # SIP Server field empty
    PHONE_SAYS_NO_ACCOUNT = "phone_says_no_account"  # no active account
    PHONE_SAYS_OFFLINE = "phone_says_offline"  # engine not running
    PHONE_SAYS_NO_NETWORK = "phone_says_no_network"
    PHONE_SOCKETS_FAILED = "phone_sockets_failed"  # 'Unable to initialize network sockets'
    PHONE_REGISTERED = "phone_registered"  # log: 200
    PHONE_GOT_401_STOPPED = "phone_got_401_stopped"  # log: 401 last; no fitting credentials
    PHONE_GOT_403 = "phone_got_403"  # log: 403; reason
    PHONE_RECEIVES_NOTHING = "phone_receives_nothing"  # log: TX repeated, no RX at all
    PHONE_RECEIVES_401 = "phone_receives_401"  # log: the 401 challenge did arrive
    PHONE_IGNORES_ANSWER = "phone_ignores_answer"  # log: RX seen, transaction still timed out (ALG)
    PHONE_RESOLVES_OTHER_NAME = "phone_resolves_other_name"  # log: host that is not ours
    PHONE_SENDS_TO_WRONG_IP = "phone_sends_to_wrong_ip"  # log: address
    PHONE_USES_TCP = "phone_uses_tcp"  # log: transport tcp|tls
    PHONE_USES_OTHER_PORT = "phone_uses_other_port"  # log: port
    PHONE_SEND_DENIED = "phone_send_denied"  # log: 130013, local firewall or antivirus
    PHONE_STUN_FAILED = "phone_stun_failed"
    PHONE_BAD_NAMESERVER = "phone_bad_nameserver"  # 320044
    PHONE_BEHIND_VPN = "phone_behind_vpn"  # Contact in a VPN-like range
    PHONE_REGISTERS_NAME = "phone_registers_name"  # log: REGISTER sip:<our name>; host
    # MicroSIP settings: INI or screenshot
    ACCOUNT_RIGHT = "account_right"  # every key field seen and right
    ACCOUNT_SERVER_WRONG = "account_server_wrong"  # field, value, expected
    ACCOUNT_SERVER_EMPTY = "account_server_empty"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    ACCOUNT_PROXY_SET = "account_proxy_set"  # value
    ACCOUNT_TRANSPORT_WRONG = "account_transport_wrong"  # value: tcp | tls
    ACCOUNT_LOGIN_DIFFERS = "account_login_differs"  # login, username
    ACCOUNT_USERNAME_DIFFERS = "account_username_differs"  # username, extension
    ACCOUNT_PASSWORD_EMPTY = "account_password_empty"  # noqa: S105 - a tag
    ACCOUNT_ICE_ON = "account_ice_on"
    ACCOUNT_STUN_ON = "account_stun_on"
    ACCOUNT_REWRITE_ON = "account_rewrite_on"
    ACCOUNT_PUBLIC_ADDRESS_SET = "account_public_address_set"  # value
    ACCOUNT_RPORT_OFF = "account_rport_off"
    ACCOUNT_NAMESERVER_BAD = "account_nameserver_bad"  # value
    # other people, in the ticket log
    NETWORK_UNUSUAL = "network_unusual"  # address: the extension always came from another network
    PROVIDER_KNOWN = "provider_known"  # address, provider: whose customer the user is; proves nothing
    PROVIDER_UNUSUAL = "provider_unusual"  # address, provider: the extension always came from other providers
    NEIGHBOURS_SAME_TROUBLE = "neighbours_same_trouble"  # count, network: others there have the same verdict now
    # other user answers
    OTHER_NETWORK_WORKS = "other_network_works"
    OTHER_NETWORK_FAILS = "other_network_fails"
    # what the PBX wrote about this user (pasted log, or the live watch)
    LOG_REGISTERED = "log_registered"  # extension, source_ip, source_port
    LOG_WRONG_PASSWORD = "log_wrong_password"  # noqa: S105 - a tag; extension, source_ip
    LOG_PASSWORD_LOST = "log_password_lost"  # noqa: S105 - a tag; extension
    LOG_USERNAME_MISMATCH = "log_username_mismatch"  # login, extension
    LOG_AUTH_FAILED = "log_auth_failed"  # extension; the cause line is not in the paste
    LOG_NOT_FOUND = "log_not_found"  # extension
    LOG_NOT_FOUND_OTHER = "log_not_found_other"  # extension, known: another number than the user's own
    LOG_SERVER_ERROR = "log_server_error"  # reason
    LOG_DB_DOWN = "log_db_down"
    LOG_PORT_TAKEN = "log_port_taken"  # EADDRINUSE
    LOG_PBX_STOPPED = "log_pbx_stopped"  # 'SIP Registrar stopped' is its last word
    LOG_CHALLENGE_REPEATED = "log_challenge_repeated"  # count: the answer does not reach the phone
    LOG_CHALLENGE_ONCE = "log_challenge_once"  # one 401, then nothing
    LOG_PACKET_SEEN = "log_packet_seen"  # a packet, no 401 yet
    LOG_SILENT = "log_silent"  # a log of the time in question without a packet from any client
    LOG_SEND_EPERM = "log_send_eperm"  # count: answers blocked by the server's own netfilter, none let out since
    LOG_HEADERS_REWRITTEN = "log_headers_rewritten"  # 'No username found in From header'
    LOG_REQUEST_BY_IP = "log_request_by_ip"  # REGISTER sip:<IP>
    LOG_REQUEST_BY_NAME = "log_request_by_name"  # REGISTER sip:<our name>
    LOG_REGISTER_DUPLICATED = "log_register_duplicated"  # the same request several times: loss or delay
    LOG_LIVE = "log_live"  # the log was watched while the user pressed Save: what it says is of now
    LOG_OTHER_PORT = "log_other_port"  # 5061: 'Unexpected REGISTER request received'
    # pasted from, or measured on, the PBX host
    SERVER_DNS_OK = "server_dns_ok"  # addresses
    SERVER_DNS_NXDOMAIN = "server_dns_nxdomain"  # resolvers
    SERVER_DNS_WRONG_IP = "server_dns_wrong_ip"  # addresses, expected
    SERVER_DNS_NO_ADDRESS = "server_dns_no_address"
    SERVER_DNS_BROKEN = "server_dns_broken"  # rcode: SERVFAIL or REFUSED from every public resolver
    SERVER_DNS_HAS_AAAA = "server_dns_has_aaaa"  # addresses; MicroSIP uses IPv4 only
    SERVER_DNS_HAS_SRV = "server_dns_has_srv"  # targets; noted, not judged
    SERVER_PING_ANSWERS = "server_ping_answers"  # rtt_ms
    SERVER_PING_LOST = "server_ping_lost"
    SERVER_SIP_ANSWERS = "server_sip_answers"  # code, rtt_ms, over_loopback: OPTIONS to PBX_PROBE_HOST
    SERVER_SIP_REFUSED = "server_sip_refused"
    SERVER_SIP_SILENT = "server_sip_silent"
    LOOPBACK_SIP_ANSWERS = "loopback_sip_answers"  # proves nothing about the firewall
    LOOPBACK_SIP_REFUSED = "loopback_sip_refused"
    LOOPBACK_SIP_SILENT = "loopback_sip_silent"
    EXTENSION_EXISTS = "extension_exists"  # extension: unauthenticated REGISTER answered 401
    EXTENSION_UNKNOWN = "extension_unknown"  # extension: 404, unknown or disabled
    EXTENSION_DISABLED = "extension_disabled"  # extension: the API says so
    EXTENSION_ONLINE = "extension_online"  # extension, contact_uri, last_updated: the API confirms
    EXTENSION_OFFLINE = "extension_offline"  # extension
    EXTENSION_ADDRESS_BANNED = "extension_address_banned"  # extension, address: the last one it came from
    EXTENSION_BEFORE_RESTART = "extension_before_restart"  # extension: registered, then a restart, nobody since
    SERVER_LISTENS = "server_listens"  # address
    SERVER_LISTENS_LOOPBACK = "server_listens_loopback"  # address
    SERVER_LISTENS_TCP_ONLY = "server_listens_tcp_only"
    SERVER_NOT_LISTENING = "server_not_listening"
    SERVER_PORT_OWNER_FOREIGN = "server_port_owner_foreign"  # owner, pid
    SERVER_QUEUE_STUCK = "server_queue_stuck"  # recv_q_bytes
    SERVER_PACKETS_DROPPED = "server_packets_dropped"  # drops: the socket's buffer overflows
    SERVER_FIREWALL_OPEN = "server_firewall_open"
    SERVER_FIREWALL_INACTIVE = "server_firewall_inactive"
    SERVER_FIREWALL_NO_RULE = "server_firewall_no_rule"  # tool
    SERVER_FIREWALL_BLOCKS = "server_firewall_blocks"  # tool, rule
    SERVER_FIREWALL_LIMITS = "server_firewall_limits"  # rule: hashlimit or the like on 5060
    SERVER_FIREWALL_THROTTLES = "server_firewall_throttles"  # rule: the like, and less than one phone needs
    SERVER_FIREWALL_BLOCKS_ANSWERS = "server_firewall_blocks_answers"  # rule in OUTPUT
    SERVER_FIREWALL_COUNTER_ROSE = "server_firewall_counter_rose"  # rule, packets
    SERVER_BANS = "server_bans"  # addresses: in fail2ban chains or sets
    USER_IP_BANNED = "user_ip_banned"  # address
    PM2_ONLINE = "pm2_online"  # pid, uptime_s, restarts
    PM2_STOPPED = "pm2_stopped"  # status
    PM2_RESTARTING = "pm2_restarting"  # restarts
    PM2_RESTARTED_LATELY = "pm2_restarted_lately"  # uptime_s
    OUTSIDE_DNS_OK = "outside_dns_ok"  # addresses, probes, country: other networks of the country find the name
    OUTSIDE_DNS_ANSWERS = "outside_dns_answers"  # the same; what is right is not known
    OUTSIDE_DNS_WRONG = "outside_dns_wrong"  # the same: every probe has another address
    OUTSIDE_DNS_FAILS = "outside_dns_fails"  # rcode, probes, country: no probe has an address
    OUTSIDE_PING_ANSWERS = "outside_ping_answers"  # rtt_ms, probes, country
    OUTSIDE_PING_LOST = "outside_ping_lost"  # probes, country; many hosts and providers drop ping
    API_ANSWERS = "api_answers"
    API_DOWN = "api_down"  # connection refused
    API_DB_DOWN = "api_db_down"  # login answers 500
    SERVER_LOST_PASSWORDS = "server_lost_passwords"  # count, extensions or extension: several lost in one restart


class Step(StrEnum):
    """The one next step; the names are the contract's."""

    FIX_DNS = "fix_dns"
    WRONG_DNS_ANSWER = "wrong_dns_answer"
    CHECK_INTERNET = "check_internet"
    REDUCE_LOSS = "reduce_loss"
    TURN_OFF_STUN_ICE = "turn_off_stun_ice"
    TURN_OFF_EXTERNAL_IP = "turn_off_external_ip"
    FIX_SERVER_FIELD = "fix_server_field"
    REMOVE_PROXY = "remove_proxy"
    FIX_TRANSPORT = "fix_transport"
    FIX_USERNAME = "fix_username"
    FIX_PASSWORD = "fix_password"  # noqa: S105 - a step's name
    ACTIVATE_ACCOUNT = "activate_account"
    ALLOW_IN_FIREWALL = "allow_in_firewall"
    TRY_OTHER_NETWORK = "try_other_network"
    PRESS_REGISTER = "press_register"
    SERVER_DNS = "server_dns"
    OPEN_SERVER_FIREWALL = "open_server_firewall"
    START_PBX = "start_pbx"
    BIND_ALL_INTERFACES = "bind_all_interfaces"
    FREE_PORT = "free_port"
    RESET_EXTENSION_PASSWORD = "reset_extension_password"  # noqa: S105 - a step's name
    CREATE_EXTENSION = "create_extension"
    UNBAN_USER = "unban_user"
    SERVER_ERROR = "server_error"
    CONNECTED = "connected"
    CALL_STAFF = "call_staff"


class Owner(StrEnum):
    """Who has to act."""

    USER = "user"
    SERVER = "server"
    NONE = "none"


class Certainty(StrEnum):
    """`proven`: a log line or an answer proves it. `likely`: it fits, another cause is thinkable."""

    PROVEN = "proven"
    LIKELY = "likely"


class Failure(StrEnum):
    """Why a check could not be made. Never a finding, never shown as passed."""

    TIMEOUT = "timeout"
    CRASHED = "crashed"
    UNREADABLE = "unreadable"
    NO_PERMISSION = "no_permission"
    NO_TOOL = "no_tool"
    NOT_CONFIGURED = "not_configured"
    NOT_HERE = "not_here"  # the PBX does not run on the bot's own host
    RATE_LIMITED = "rate_limited"


class Status(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"  # the bot and the user are at it
    ESCALATED = "escalated"  # a person has to act: asked for, or the server is at fault
    SOLVED = "solved"  # closed with a working phone
    CLOSED = "closed"  # closed for another reason


class EventKind(StrEnum):
    """What can happen to a ticket; the log of these is the conversation's state."""

    OPENED = "opened"
    CHECKED = "checked"  # results: [RESULT]
    EVIDENCE = "evidence"  # media, text (redacted), attachment, unreadable: bool
    READ = "read"  # reading: READING with the findings' args
    ANSWERED = "answered"  # a button or a number: kind, finding?, value?
    ASKED = "asked"  # question: KIND
    SKIPPED = "skipped"  # question: KIND
    VERDICT = "verdict"  # verdict: VERDICT, findings
    TRIED = "tried"  # step: done as told, did not help
    RECHECK = "recheck"  # the user asked for the checks again
    ESCALATED = "escalated"  # reason
    USER_MESSAGE = "user_message"  # text, to staff
    STAFF_MESSAGE = "staff_message"  # text, to the user; by
    NOTE = "note"  # text; by; never shown to the user
    TAKEN = "taken"  # by: who of the staff has it now; to another: to
    TAGGED = "tagged"  # tags: all that hold now; by
    PRIORITY = "priority"  # level: low | normal | high; by
    LINKED = "linked"  # incident: its number, or ticket: the one this goes on from
    CLOSED = "closed"  # reason; by
    REOPENED = "reopened"
    RATED = "rated"  # stars, comment
    REMINDED = "reminded"  # to: user | staff, for whom somebody waits
