"""What does the environment say? The process and `.env` → one frozen Settings, or every fault at once."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.hours import Hours
from bot.model import Target

_TOKEN = re.compile(r"\d+:[\w-]+")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")

WEB_DATABASE = "web.db"  # in DATA_DIR


class SettingsError(Exception):
    """One line that names every bad variable and never its value."""


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals; .env.example explains them."""

    model_config = SettingsConfigDict(
        frozen=True, env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    bot_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org/bot"
    telegram_file_url: str = "https://api.telegram.org/file/bot"
    webhook_listen: str = "127.0.0.1:8080"
    web_url: str = "http://127.0.0.1:8001"
    web_listen: str = "127.0.0.1:8001"
    staff_chat_id: int | None = None
    staff_ids: Annotated[frozenset[int], NoDecode] = frozenset()
    data_dir: Path = Path("./data")
    pbx_host: str = "call.soundz.uz"
    pbx_sip_port: int = Field(default=5060, ge=1, le=65535)
    pbx_expected_ips: Annotated[frozenset[str], NoDecode] = frozenset()
    pbx_probe_host: str | None = None
    pbx_on_this_host: Literal["auto", "yes", "no"] = "auto"
    dns_servers: Annotated[tuple[str, ...], NoDecode] = ()
    pbx_log_files: Annotated[tuple[str, ...], NoDecode] = ()
    pbx_log_command: str | None = None
    pbx_pm2_name: str = "pbx-system"
    pbx_api_url: str | None = None
    pbx_api_user: str | None = None
    pbx_api_password: SecretStr | None = None
    check_timeout_s: float = Field(default=4.0, gt=0, le=60)
    check_ttl_s: float = Field(default=15.0, ge=0, le=3600)
    own_side_every_s: float = Field(default=60.0, gt=0, le=3600)
    outside_probes: Literal["off", "globalping"] = "off"
    outside_api_url: str = "https://api.globalping.io"
    providers_file: Path | None = None
    default_language: Literal["uz"] = "uz"
    retention_days: int = Field(default=90, ge=1)
    work_hours: str = ""
    timezone: str = "Asia/Tashkent"

    @field_validator("staff_ids", "pbx_expected_ips", "dns_servers", "pbx_log_files", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("bot_token")
    @classmethod
    def _looks_like_a_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("not a bot token")
        return value

    @field_validator("telegram_api_url", "telegram_file_url", "pbx_api_url", "web_url", "outside_api_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("not an http(s) address")
        return value

    @field_validator("web_url")
    @classmethod
    def _is_a_host_of_its_own(cls, value: str) -> str:
        if not urlsplit(value).hostname or urlsplit(value)[2:] not in (("", "", ""), ("/", "", "")):
            raise ValueError("not a host of its own, without a path")
        return value

    @field_validator("pbx_host", "pbx_probe_host")
    @classmethod
    def _is_a_host(cls, value: str | None) -> str | None:
        if value is not None and not _HOST.fullmatch(value):
            ipaddress.ip_address(value)
        return value.lower() if value else value

    @field_validator("pbx_expected_ips")
    @classmethod
    def _are_addresses(cls, value: frozenset[str]) -> frozenset[str]:
        return frozenset(str(ipaddress.ip_address(address)) for address in value)

    @field_validator("webhook_listen", "web_listen")
    @classmethod
    def _is_address_and_port(cls, value: str) -> str:
        address, _, port = value.rpartition(":")
        ipaddress.ip_address(address.strip("[]"))
        if not 0 < int(port) < 65536:
            raise ValueError("port out of range")
        return value

    @field_validator("dns_servers")
    @classmethod
    def _are_servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for server in value:
            address, _, port = server.partition(":") if server.count(":") == 1 else (server, "", "")
            ipaddress.ip_address(address)
            if port and not 0 < int(port) < 65536:
                raise ValueError("port out of range")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError, ValueError):  # a folder of zones, a path that leads elsewhere
            raise ValueError("not a time zone") from None
        return value

    @field_validator("work_hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        Hours.parse(value, ZoneInfo("UTC"))
        return value

    def hours(self) -> Hours:
        """When there are people at work."""
        return Hours.parse(self.work_hours, ZoneInfo(self.timezone))

    @classmethod
    def load(cls, *required: str, **known: Any) -> Self:
        """Settings from the environment and `.env`; `known` wins. Raises SettingsError, also for a missing required."""
        model = create_model("Needed", __base__=cls, **_must_be_given(cls, required)) if required else cls
        try:
            return model(**known)
        except ValidationError as trouble:
            # The message is ours: pydantic's own would echo what was typed.
            faults = dict.fromkeys(
                f"{str(error['loc'][0]).upper()} ({_reason(error['type'], error['msg'])})"
                for error in trouble.errors(include_input=False, include_url=False, include_context=False)
            )
            raise SettingsError("Bad settings: " + ", ".join(faults)) from None

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "yordam.db"

    @property
    def web_database(self) -> Path:
        """The review page's own file: orders to the bot, and logins."""
        return self.data_dir / WEB_DATABASE

    def target(self) -> Target:
        """The one PBX these settings name."""
        here = {"auto": None, "yes": True, "no": False}[self.pbx_on_this_host]
        return Target(
            host=self.pbx_host,
            sip_port=self.pbx_sip_port,
            expected_ips=self.pbx_expected_ips,
            probe_host=self.pbx_probe_host or self.pbx_host,
            dns_servers=self.dns_servers,
            log_files=self.pbx_log_files,
            log_command=self.pbx_log_command,
            pm2_name=self.pbx_pm2_name,
            api_url=self.pbx_api_url,
            api_user=self.pbx_api_user,
            api_password=self.pbx_api_password.get_secret_value() if self.pbx_api_password else None,
            outside_url=self.outside_api_url if self.outside_probes == "globalping" else None,
            on_this_host=here,
            timeout_s=self.check_timeout_s,
            ttl_s=self.check_ttl_s,
            providers_file=str(self.providers_file) if self.providers_file else None,
        )

    def with_token(self, token: str, staff_chat_id: int) -> Self:
        """The same for another bot and staff chat."""
        return self.model_copy(update={"bot_token": SecretStr(token), "staff_chat_id": staff_chat_id})

    def token(self) -> str:
        """The bot's token. Raises SettingsError when it is missing."""
        if self.bot_token is None:
            raise SettingsError("Bad settings: BOT_TOKEN (missing)")
        return self.bot_token.get_secret_value()


def _must_be_given(model: type[Settings], names: tuple[str, ...]) -> dict[str, Any]:
    """Fields without their defaults."""
    return {name: (model.model_fields[name].annotation, ...) for name in names}


def _reason(kind: str, message: str) -> str:
    if kind == "value_error":
        own = (
            "not a bot token",
            "not an http(s) address",
            "not a host of its own, without a path",
            "port out of range",
            "not a time zone",
            "not days and periods",
            "a period ends before it begins",
            "periods overlap",
            "a day is named twice",
            "days off are not dates",
            "more days off than periods",
        )
        return next((reason for reason in own if reason in message), "not a valid value")
    known = {"missing": "missing", "int_parsing": "not a whole number", "float_parsing": "not a number"}
    return known.get(kind, "not a valid value")
