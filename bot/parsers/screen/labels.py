"""What the captions of MicroSIP's two dialogs are called: which row does this text on a picture name?

'SIP-cepsep', 'Обновление реги…' and 'Username *' are read as `server`, `register_refresh` and `username`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Dialog(StrEnum):
    """The dialog a caption belongs to."""

    ACCOUNT = "account"
    SETTINGS = "settings"


class Shape(StrEnum):
    """What stands beside a caption."""

    EDIT = "edit"  # caption right-aligned, edit box to its right
    COMBO = "combo"
    CHECK = "check"  # square to the left of its caption
    CHECK_RIGHT = "check_right"  # square to the right of its caption
    ANCHOR = "anchor"  # fixes the dialog's place; its value is of no interest


@dataclass(frozen=True, slots=True)
class Caption:
    """One row's caption in every language pack seen; `names` maps a pack to its text."""

    name: str
    dialog: Dialog
    shape: Shape
    names: Mapping[str, str]


def _row(dialog: Dialog, name: str, shape: Shape, en: str, old: str, new: str, uz: str, *more: str) -> Caption:
    names = {"en": en, "ru_old": old, "ru_new": new, "uz": uz}
    names |= {f"en_{number}": text for number, text in enumerate(more)}
    return Caption(name, dialog, shape, names)


_A, _S = Dialog.ACCOUNT, Dialog.SETTINGS
_E, _C, _K, _R, _X = Shape.EDIT, Shape.COMBO, Shape.CHECK, Shape.CHECK_RIGHT, Shape.ANCHOR

CAPTIONS: tuple[Caption, ...] = (
    _row(_A, "account_name", _E, "Account Name", "Название аккаунта", "Имя аккаунта", "Hisob nomi"),
    _row(_A, "server", _E, "SIP Server", "SIP-сервер", "SIP-сервер", "SIP-server"),
    _row(_A, "proxy", _E, "SIP Proxy", "SIP-прокси", "SIP-прокси", "SIP proksi-serveri"),
    _row(
        _A,
        "username",
        _E,
        "Username",
        "Имя пользователя",
        "Имя пользователя",
        "Foydalanuvchi logini",
        "User",
        "Пользователь",
    ),
    _row(_A, "domain", _E, "Domain", "Домен", "Домен", "Domen"),
    _row(_A, "login", _E, "Login", "Логин", "Логин", "Tizimga kirish"),
    _row(_A, "password", _E, "Password", "Пароль", "Пароль", "Parol"),
    _row(_A, "display_name", _E, "Display Name", "Ваше имя", "Отображаемое имя", "Ko'rsatiladigan ism"),
    _row(_A, "voicemail", _E, "Voicemail Number", "Голосовая почта", "Голосовой ящик", "Овозли хааабар номери"),
    _row(
        _A,
        "dialing_prefix",
        _E,
        "Dialing Prefix",
        "Префикс набора",
        "Префикс вызова",
        "Raqamni kiritish prefiksi",
    ),
    _row(_A, "dial_plan", _E, "Dial Plan", "Dial Plan", "План набора", "Terish rejasi"),
    _row(
        _A,
        "hide_caller_id",
        _K,
        "Hide Caller ID",
        "Hide Caller ID",
        "Анонимный вызов",
        "Qo'ng'iroq qiluvchining identifikatorini yashirish",
    ),
    _row(
        _A,
        "media_encryption",
        _C,
        "Media Encryption",
        "Шифрование медиа",
        "Шифрование медиа",
        "Media shifrlash",
    ),
    _row(_A, "transport", _C, "Transport", "Транспорт", "Транспорт", "Transport"),
    _row(_A, "public_address", _C, "Public Address", "Публичный адрес", "Публичный адрес", "Jamoat manzili"),
    _row(
        _A,
        "register_refresh",
        _E,
        "Register Refresh",
        "Обновление регистрации",
        "Перерегистрация",
        "Ro'yxatdan o'tishni yangilang",
    ),
    _row(_A, "keep_alive", _E, "Keep-Alive", "Keep-Alive", "Проверка доступности", "Tirik qoling"),
    _row(
        _A,
        "publish_presence",
        _K,
        "Publish Presence",
        "Публиковать присутствие",
        "Публиковать статус",
        "Mavjudlikni e'lon qilish",
    ),
    _row(
        _A,
        "allow_rewrite",
        _K,
        "Allow IP Rewrite",
        "Разрешить перезапись IP",
        "Использовать внешний IP-адрес",
        "IP qayta yozishga ruxsat bering",
        "Использовать внешний IP",
    ),
    _row(_A, "ice", _K, "ICE", "ICE", "ICE", "ICE"),
    _row(
        _A,
        "disable_session_timers",
        _K,
        "Disable Session Timers",
        "Отключить таймеры сессии",
        "Отключить таймеры сессии",
        "Sessiya taymerlarini o'chirib qo'yish",
    ),
    _row(_A, "avpf", _K, "AVPF", "AVPF", "AVPF", "AVPF"),
    _row(
        _A,
        "show_password",
        _X,
        "display password",
        "показать пароль",
        "показать пароль",
        "parolni ko'rsatish",
    ),
    _row(
        _S,
        "single_call_mode",
        _K,
        "Single Call Mode",
        "Режим одиночного вызова",
        "Режим одиночного вызова",
        "Yagona qo'ng'iroq rejimi",
    ),
    _row(_S, "ringtone", _X, "Ringtone", "Звук вызова", "Мелодия вызова", "Rington"),
    _row(
        _S,
        "ring_device",
        _X,
        "Ring Device",
        "Устройство для вызова",
        "Устройство для вызова",
        "Jiringlash qurilmasi",
    ),
    _row(_S, "speaker", _X, "Speaker", "Динамики", "Динамики", "Karnay"),
    _row(_S, "microphone", _X, "Microphone", "Микрофон", "Микрофон", "Mikrofon"),
    _row(
        _S,
        "microphone_amplification",
        _K,
        "Microphone Amplification",
        "Усиление микрофона",
        "Усиление микрофона",
        "Mikrofonni kuchaytirish",
    ),
    _row(
        _S,
        "software_level_adjustment",
        _K,
        "Software Level Adjustment",
        "Программная регулировка уровня",
        "Программная регулировка микрофона",
        "Dastur darajasini sozlash",
    ),
    _row(
        _S,
        "available_codecs",
        _X,
        "Available Codecs",
        "Доступные кодеки",
        "Доступные кодеки",
        "Mavjud kodeklar",
    ),
    _row(_S, "enabled_codecs", _X, "Enabled Codecs", "Активные кодеки", "Активные кодеки", "Yoqilgan kodeklar"),
    _row(
        _S,
        "force_codec",
        _K,
        "Force Codec for Incoming",
        "Задавать кодек для входящих",
        "Задавать кодек для входящих",
        "Kiruvchi uchun kodekni majburlash",
    ),
    _row(
        _S,
        "disable_video",
        _K,
        "Disable Video",
        "Disable Video",
        "Отключить видеовызовы",
        "Videoni o'chirib qo'yish",
    ),
    _row(_S, "camera", _X, "Camera", "Камера", "Камера", "Kamera"),
    _row(_S, "video_codec", _X, "Video Codec", "Видеокодек", "Видеокодек", "Video kodek"),
    _row(_S, "video_bitrate", _X, "Video Bitrate", "Битрейт видео", "Битрейт видео", "Video Bitreyt"),
    _row(_S, "source_port", _E, "Source Port", "Исходящий порт", "Порт источника", "Manba porti"),
    _row(_S, "rport", _K, "rport", "rport", "rport", "rport"),
    _row(_S, "rtp_min", _E, "RTP Ports", "Порты RTP", "RTP-порты", "RTP portlari"),
    _row(_S, "nameserver", _E, "Nameserver", "Сервер имен", "Сервер имен", "Nameserver"),
    _row(_S, "dns_srv", _K, "DNS SRV", "DNS SRV", "DNS SRV", "DNS SRV"),
    _row(_S, "stun_enabled", _R, "STUN Server", "STUN-сервер", "STUN-сервер", "STUN serveri"),
    _row(
        _S,
        "call_recording",
        _R,
        "Call Recording",
        "Запись звонков",
        "Запись звонков",
        "Qo'ng'iroqni yozib olish",
    ),
    _row(_S, "dtmf_method", _X, "DTMF Method", "Метод DTMF", "Передача DTMF", "DTMF usuli"),
    _row(_S, "auto_answer", _X, "Auto Answer", "Авто-ответ", "Автоответ", "Avtomatik javob"),
    _row(
        _S,
        "call_forwarding",
        _X,
        "Call Forwarding",
        "Переадресация",
        "Переадресация",
        "Qo'ng'iroqlarni boshqa raqamga yo'naltirish",
    ),
    _row(_S, "deny_incoming", _X, "Deny Incoming", "Запретить входящие", "Автоотклонение", "Kirishni rad etish"),
    _row(
        _S,
        "directory_of_users",
        _X,
        "Directory of Users",
        "Каталог пользователей",
        "Каталог пользователей",
        "Foydalanuvchilar katalogi",
    ),
    _row(
        _S,
        "default_list_action",
        _X,
        "Default List Action",
        "Действие списка",
        "Действие из списка",
        "Standart ro'yxat harakati",
    ),
    _row(
        _S,
        "handle_media_buttons",
        _K,
        "Handle Media Buttons",
        "Управление мультимедийными кнопками",
        "Поддержка медиа клавиш",
        "Media tugmalaridan foydalanish",
    ),
    _row(
        _S,
        "headset_support",
        _K,
        "Headset Support",
        "Headset Support",
        "Поддержка гарнитуры",
        "Eshitish vositasini qo'llab-quvvatlash",
    ),
    _row(_S, "sound_events", _K, "Sound Events", "Звуковые события", "Звуковые события", "Ovozli voqealar"),
    _row(
        _S,
        "enable_log_file",
        _K,
        "Enable Log File",
        "Включить лог-файл",
        "Журнал событий",
        "Jurnal faylini yoqish",
    ),
    _row(
        _S,
        "bring_to_front",
        _K,
        "Bring to Front on Incoming Call",
        "Всплывать при входящем звонке",
        "Переместить на передний план при входящем звонке",
        "Kiruvchi qo'ng'iroqni oldinga olib keling",
    ),
    _row(
        _S,
        "enable_local_account",
        _K,
        "Enable Local Account",
        "Включить локальный аккаунт",
        "Включить локальный аккаунт",
        "Mahalliy hisobni yoqing",
    ),
    _row(
        _S,
        "random_popup",
        _K,
        "Random Popup Position",
        "Случайная позиция окошка",
        "Случайная позиция окна",
        "Tasodifiy qalqib chiqadigan joy",
    ),
    _row(_S, "call_waiting", _K, "Call Waiting", "Ожидание вызова", "Ожидание вызова", "Qo'ng'iroqni kutish"),
    _row(
        _S,
        "disable_messaging",
        _K,
        "Disable Messaging",
        "Disable Messaging",
        "Отключить обмен сообщениями",
        "Xabarlar funksiyasini o'chirish",
    ),
    _row(
        _S,
        "multi_monitor",
        _K,
        "Multi Monitor Support",
        "Поддержка нескольких мониторов",
        "Поддержка нескольких мониторов",
        "Ko'p monitorni qo'llab-quvvatlash",
    ),
    _row(
        _S,
        "handle_ip_changes",
        _K,
        "Handle IP changes",
        "Обработка изменений IP",
        "Обработка изменений IP",
        "IP o'zgarishlarini boshqarish",
    ),
    _row(
        _S,
        "run_at_startup",
        _K,
        "Run at System Startup",
        "Запускать при старте системы",
        "Автозагрузка при старте системы",
        "Tizimni ishga tushirishda ishga tushiring",
    ),
    _row(
        _S,
        "check_for_updates",
        _X,
        "Check for Updates",
        "Проверять обновления",
        "Проверять обновления",
        "Yangilanishlarni tekshiring",
    ),
)
BY_NAME: Mapping[str, Caption] = {caption.name: caption for caption in CAPTIONS}
TITLES: Mapping[Dialog, tuple[str, ...]] = {
    Dialog.ACCOUNT: ("Account", "Аккаунт", "Hisob"),
    Dialog.SETTINGS: ("Settings", "Общие настройки", "Настройки", "Sozlamalar"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """Which caption a text is, and how alike they are (0..100)."""

    caption: Caption
    pack: str
    score: float
    whole: bool  # False: only its beginning is seen (an ellipsis or a cut edge)


# Letters that look alike are one letter: OCR mixes the scripts inside a word ('SIP-cepsep').
_LOOK = str.maketrans(
    {
        "а": "a", "б": "6", "в": "b", "г": "r", "е": "e", "ё": "e", "з": "3", "и": "u", "й": "u", "к": "k",
        "м": "m", "н": "h", "о": "o", "п": "n", "р": "p", "с": "c", "т": "t", "у": "y", "х": "x", "ц": "u",
        "ч": "4", "ш": "w", "щ": "w", "ъ": "b", "ы": "b", "ь": "b", "0": "o", "1": "i", "l": "i", "j": "i",
    }
)  # fmt: skip
_SQUARE = re.compile(r"[^0-9a-zа-яё]+")
CUT = re.compile(r"(?:\.{2,}|…|\.\s\.)\s*$")
LONG, SHORT = 74, 80  # the least likeness of captions of 8 letters and more, and of shorter ones
EXACT = 4  # captions this short (ICE, AVPF) must be read letter by letter


def skeleton(text: str) -> str:
    """The text without case, spaces, marks and the difference between scripts."""
    return _SQUARE.sub("", text.lower()).translate(_LOOK)


def _shapes() -> tuple[tuple[str, Caption, str], ...]:
    seen: dict[tuple[str, str], tuple[str, Caption, str]] = {}
    for caption in CAPTIONS:
        for pack, text in caption.names.items():
            seen.setdefault((skeleton(text), caption.name), (skeleton(text), caption, pack))
    return tuple(seen.values())


SHAPES = _shapes()


def likeness(text: str, name: str) -> float:
    """How much the text looks like one caption in any language, 0..100; a cut caption counts in full."""
    from rapidfuzz import fuzz

    bare = skeleton(text)
    if len(bare) < 2:
        return 0.0
    shapes = [shape for shape, caption, _ in SHAPES if caption.name == name]
    whole = max(fuzz.ratio(bare, shape) for shape in shapes)
    begun = max(fuzz.ratio(bare, shape[: len(bare)]) for shape in shapes) if len(bare) >= 8 else 0.0
    return float(max(whole, begun - 6))


def match(text: str) -> tuple[Match, ...]:
    """Captions this text may be, best first; empty when it looks like none.

    An ellipsis, or a beginning of at least nine letters, is enough for a long caption.
    """
    from rapidfuzz import fuzz

    bare = skeleton(text)
    if len(bare) < 3:
        return ()
    cut = bool(CUT.search(text))
    found = []
    for shape, caption, pack in SHAPES:
        if len(shape) <= EXACT or len(bare) <= EXACT:
            score = 100.0 if shape == bare else 0.0
        else:
            score = fuzz.ratio(bare, shape, score_cutoff=SHORT if len(shape) < 8 else LONG)
        whole = True
        if not score and len(shape) > len(bare) >= (6 if cut else 9):
            score = fuzz.ratio(bare, shape[: len(bare)], score_cutoff=86) - 4
            whole = False
        if score > 0:
            found.append(Match(caption, pack, score, whole))
    return tuple(sorted(found, key=lambda one: (-one.score, not one.whole)))
