"""The words of MicroSIP's status bar and message boxes, by language and version, and what people make of them.

Taken from the program's language files (English built in, Russian and Uzbek packs) of 3.14 to 3.22.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusLabel:
    """One text of the status bar in the three languages of the packs, as shown. None: not translated."""

    en: str
    ru: str | None
    uz: str | None
    code: int | None = None  # SIP code that shows it
    version: str | None = None  # None: every version


def _words(text: str, separator: str | None = None) -> frozenset[str]:
    return frozenset(text.split(separator))


# What stands in the status bar, per status; the first of each is the usual one.
STATUS_LABELS: dict[str, tuple[StatusLabel, ...]] = {
    "timeout": (StatusLabel("Request Timeout", "Тайм-аут запроса", "Vaqtni talab qilish", 408),),
    "no_server": (
        StatusLabel("Connection Failed", "Соединение не удалось", "Ulanish amalga oshmadi", 502, ">=3.21.6"),
        StatusLabel("Bad Gateway", "Сервер не найден", "Yomon shlyuz", 502, "<=3.20.5"),
    ),
    "unavailable": (StatusLabel("Service Unavailable", "Сервис недоступен", "Xizmat ish faoliyatida emas", 503),),
    "wrong_password": (
        StatusLabel("Incorrect Password", "Неверный пароль", "Noto'g'ri parol"),
        StatusLabel("Forbidden", None, None, 403, "3.19.27"),
        StatusLabel("Unauthorized", "Не авторизован", "Ruxsatsiz", 401),
    ),
    "not_found": (StatusLabel("Not Found", "Не найдено", "Topilmadi", 404),),
    "server_error": (
        StatusLabel("Server Internal Error", None, None, 500),
        StatusLabel("Internal Server Error", None, None, 500),
        StatusLabel("Server error", "Ошибка сервера", "Server xatosi", None, ">3.22.3"),
    ),
    "online": (
        StatusLabel("Online", "На линии", "Onlayn", 200),
        StatusLabel("Away", "Отошел", "Joyida emas", 200),
        StatusLabel("Do Not Disturb", "Не беспокоить", "Bezovta qilinmasin", 200),
        StatusLabel("Call Forwarding", "Переадресация", "Qo'ng'iroqlarni boshqa raqamga yo'naltirish", 200),
    ),
    "connecting": (
        StatusLabel("Connecting...", "Соединение...", "Ulanmoqda..."),
        StatusLabel("Connecting...", "Подключение...", "Ulanmoqda..."),
    ),
    "idle": (
        StatusLabel("Idle", "Свободен", "Bo'sh"),
        StatusLabel("Online (outgoing)", None, None, None, "3.14"),
    ),
    "no_account": (StatusLabel("MicroSIP", "MicroSIP", "MicroSIP"),),
    "offline": (
        StatusLabel("Offline", "Не в сети", "Oflayn"),
        StatusLabel(
            "Softphone is not initialized. Check your settings.",
            "Программный телефон не инициализирован. Проверьте свои настройки.",
            "Softphone ishga tushirilmagan. Sozlamalarni tekshiring.",
        ),
    ),
    "no_network": (
        StatusLabel("Network is unreachable", "Сеть недоступна", "Tarmoqqa ulanish imkonsiz"),
        StatusLabel(
            "Network connection is not available.",
            "Сетевое соединение недоступно.",
            "Tarmoq ulanishi mavjud emas.",
            None,
            ">3.22.3",
        ),
    ),
    "sockets_failed": (
        StatusLabel(
            "Unable to initialize network sockets.",
            "Невозможно инициализировать сетевые сокеты.",
            "Tarmoq rozetkalarini ishga tushirib bo'lmadi.",
        ),
    ),
    "other_code": (
        StatusLabel("Bad Request", None, None, 400),
        StatusLabel("Method Not Allowed", "Не разрешено", "Usul ruxsat etilmagan", 405),
        StatusLabel("Proxy Authentication Required", None, None, 407),
        StatusLabel("Interval Too Brief", None, None, 423),
        StatusLabel("Temporarily Unavailable", None, None, 480),
    ),
}

# "Сервер вернул код ошибки: 408" and its kin, before the number.
CODE_LABELS = (
    "the server returned an error code",
    "response code",
    "сервер вернул код ошибки",
    "server xato kodini qaytardi",
)
CODES = {
    401: "wrong_password",
    403: "wrong_password",
    404: "not_found",
    408: "timeout",
    500: "server_error",
} | {
    502: "no_server",
    503: "unavailable",
}

# What people write instead. '*' ends a word of which only the beginning counts. Uzbek in Latin letters: Cyrillic
# is turned into Latin before. Words too common to prove anything alone are in COMMON.
SPOKEN: dict[str, tuple[str, ...]] = {
    "timeout": (
        "request time out", "timeout", "time out", "taym aut", "taymaut", "taym out", "taymout", "таймаут", "тайм аут",
        "время ожидания истекло", "kutish vaqti tugadi", "vaqt tugadi", "so'rov vaqti tugadi", "request timeaut",
    ),
    "no_server": (
        "server topilmadi", "serverni topolmayapti", "serverni topa olmayapti", "server topilmayapti",
        "сервер не найден", "не находит сервер", "не найден сервер", "server not found", "bad gate way",
        "connection fail", "connection error",
    ),
    "unavailable": ("сервис не доступен", "servis nedostupen", "service unavailble", "xizmat mavjud emas"),
    "wrong_password": (
        "неправильный пароль", "пароль неверный", "пароль неправильный", "неверный логин или пароль", "wrong password",
        "invalid password", "password incorrect", "parol noto'g'ri", "parol notogri", "notogri parol", "parol xato",
        "xato parol", "parol to'g'ri kelmayapti", "nepravilniy parol", "neverniy parol", "login oyna* ochil*",
        "login oyna* chiq*", "parol oyna* chiq*", "parol oyna* ochil*", "akkaunt oyna* ochil*",
        "account oyna* ochil*", "hisob oyna* ochil*", "login oyna* qayta*",
        "parolni qabul qilma*",
        "parol qabul qilma*",
        "parol so'ra*", "parolni so'ra*", "login parol so'ra*",
        "просит пароль", "запрашивает пароль", "требует пароль", "окно аккаунта открывается",
        "окно логина открывается", "asks for password", "asking for password", "forbidden",
    ),
    "server_error": ("server internal error", "internal server error", "serverda xato*"),
    "not_found": ("raqam topilmadi", "не найден"),
    "online": ("online", "onlayn", "on line", "онлайн"),
    "connecting": (
        "connecting", "ulanmoqda", "bog'lanmoqda", "подключается", "соединяется", "идет соединение",
        "идет подключение", "ulanyapti", "соединение", "подключение", "konnekting", "kanekting",
    ),
    "offline": ("offline", "oflayn", "offlayn", "офлайн", "оффлайн"),
    "idle": ("bo'sh", "bosh", "idle", "свободен"),
    "no_account": (
        "akkaunt yo'q", "account yo'q", "akkaunt faol emas", "account faol emas", "hisob faol emas",
        "аккаунт не активен", "нет аккаунта", "no account", "faqat microsip yozilgan", "microsip deb yoz*",
        "microsip deb tur*", "microsip yozuvi*", "написано microsip", "просто microsip",
    ),
    "no_network": ("tarmoq yo'q", "нет сети", "no network"),
    "sockets_failed": ("network sockets", "сетевые сокеты"),
}  # fmt: skip

# Ordinary words, or words of other programs as well: they count only with nothing else but FILLERS round them.
COMMON = _words(
    "timeout,time out,online,onlayn,on line,онлайн,на линии,offline,oflayn,offlayn,офлайн,оффлайн,не в сети,idle,"
    "свободен,bo'sh,bosh,away,отошел,joyida emas,not found,не найдено,не найден,topilmadi,forbidden,unauthorized,"
    "не авторизован,ruxsatsiz,connecting,ulanmoqda,ulanyapti,bog'lanmoqda,соединение,подключение,соединяется,"
    "подключается,call forwarding,переадресация,do not disturb,не беспокоить,bad request,не разрешено,server error,"
    "ошибка сервера,server xatosi,network is unreachable,сеть недоступна,connection error,vaqt tugadi,нет сети,"
    "tarmoq yo'q,no network,no account,нет аккаунта,connection failed,server not found,bezovta qilinmasin",
    ",",
)

FILLERS = _words(
    """microsip mikrosip microsipda dastur dasturda ilova ilovada telefonda menda menda mana hozir
    doim doimo yana hali faqat o'zi shu shunday bu u deb de dep yozuv yozuvi yozilgan yozilyapti yozib yozayapti
    yozyapti yozadi yozvotti chiqyapti chiqayapti chiqib chiqdi chiqadi chiqaveradi chiqvotti chiqqan turibdi turipti
    turadi turyapti turvotti qolyapti qoldi qolgan qolib ko'rsatyapti ko'rsatayapti ko'rsatadi ko'rinyapti ko'rinadi
    beryapti berayapti berdi beradi berib berayabdi bo'lyapti bo'ldi bo'lib bo'layapti degan deyapti deydi yonib pastda
    pastida pastki burchakda burchagida chapda oynada ekranda status statusi holati holat xato xatosi xatolik xatoligi
    xatoni kod kodi kodli raqam error code sip va ham iltimos salom assalomu alaykum hammasi endi ishlayapti
    ketyapti bo'p qotib bor rahmat da
    пишет пишется написано выдает выдаёт выходит вышло показывает горит стоит висит ошибка ошибку код статус внизу в
    у меня постоянно все время всё опять теперь сейчас долго спасибо и это там мне микросип программа здравствуйте да ok
    ha
    it says shows is the a in at bottom bar my i get got still now always just stuck on saying displayed
    auto answer conference автоответ автоконференция avtomatik
    javob konferensiya"""
)

# With one of these the clause does not report what the status bar says.
NOT_A_REPORT = _words(
    """nima nimani nimasi nimadir qanday qanaqa qanaqasiga qachon qayerda qayerdan qaysi kim kimdan necha degani
    bildiradi anglatadi farqi farq emas emasmi yo'q yoq chiqmayapti chiqmadi chiqmaydi yo'qoldi ketdi agar avval oldin
    kecha ilgari mabodo o'zgartirish o'zgartiraman o'zgartirsam o'rnatish yoqish yoqilgan tushuntiring tushunmadim
    что как какой какая когда где зачем сколько если раньше вчера нет не без значит означает называется
    what how when where which if before was not no don't doesn't isn't mean means without
    ping pinglar pingda nslookup dns tracert brauzer brauzerda sayt saytda site website chrome telegram vpn wifi wi fi
    internet internetda ssh docker git nginx http https postgres browser command bash host sh router modem trunk
    to'lov magazin dars o'qish video o'yin joy vaqt xona"""
)
WHY = _words("nega nimaga negadir nimagadir почему why")  # a complaint, if a report is in it
REPORTS = _words(
    """chiqyapti chiqayapti chiqvotti yozyapti yozilyapti yozib turibdi turipti beryapti berayapti ko'rsatyapti
    bo'lyapti chiqib so'rayapti ochilaveradi chiqaveradi пишет выдает показывает висит горит стоит says shows showing"""
)
