# ruff: noqa: E501 - a table's row is a line
"""MicroSIP's captions in every language pack seen: English, two Russian packs, Uzbek, and older wordings.

account | server | edit | SIP Server | SIP-сервер | SIP-сервер | SIP-server
"""

from __future__ import annotations

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


# dialog | name | shape | en | ru_old | ru_new | uz | more wordings
_TABLE = """
account | account_name | edit | Account Name | Название аккаунта | Имя аккаунта | Hisob nomi
account | server | edit | SIP Server | SIP-сервер | SIP-сервер | SIP-server
account | proxy | edit | SIP Proxy | SIP-прокси | SIP-прокси | SIP proksi-serveri
account | username | edit | Username | Имя пользователя | Имя пользователя | Foydalanuvchi logini | User | Пользователь
account | domain | edit | Domain | Домен | Домен | Domen
account | login | edit | Login | Логин | Логин | Tizimga kirish
account | password | edit | Password | Пароль | Пароль | Parol
account | display_name | edit | Display Name | Ваше имя | Отображаемое имя | Ko'rsatiladigan ism
account | voicemail | edit | Voicemail Number | Голосовая почта | Голосовой ящик | Овозли хааабар номери
account | dialing_prefix | edit | Dialing Prefix | Префикс набора | Префикс вызова | Raqamni kiritish prefiksi
account | dial_plan | edit | Dial Plan | Dial Plan | План набора | Terish rejasi
account | hide_caller_id | check | Hide Caller ID | Hide Caller ID | Анонимный вызов | Qo'ng'iroq qiluvchining identifikatorini yashirish
account | media_encryption | combo | Media Encryption | Шифрование медиа | Шифрование медиа | Media shifrlash
account | transport | combo | Transport | Транспорт | Транспорт | Transport
account | public_address | combo | Public Address | Публичный адрес | Публичный адрес | Jamoat manzili
account | register_refresh | edit | Register Refresh | Обновление регистрации | Перерегистрация | Ro'yxatdan o'tishni yangilang
account | keep_alive | edit | Keep-Alive | Keep-Alive | Проверка доступности | Tirik qoling
account | publish_presence | check | Publish Presence | Публиковать присутствие | Публиковать статус | Mavjudlikni e'lon qilish
account | allow_rewrite | check | Allow IP Rewrite | Разрешить перезапись IP | Использовать внешний IP-адрес | IP qayta yozishga ruxsat bering | Использовать внешний IP
account | ice | check | ICE | ICE | ICE | ICE
account | disable_session_timers | check | Disable Session Timers | Отключить таймеры сессии | Отключить таймеры сессии | Sessiya taymerlarini o'chirib qo'yish
account | avpf | check | AVPF | AVPF | AVPF | AVPF
account | show_password | anchor | display password | показать пароль | показать пароль | parolni ko'rsatish
settings | single_call_mode | check | Single Call Mode | Режим одиночного вызова | Режим одиночного вызова | Yagona qo'ng'iroq rejimi
settings | ringtone | anchor | Ringtone | Звук вызова | Мелодия вызова | Rington
settings | ring_device | anchor | Ring Device | Устройство для вызова | Устройство для вызова | Jiringlash qurilmasi
settings | speaker | anchor | Speaker | Динамики | Динамики | Karnay
settings | microphone | anchor | Microphone | Микрофон | Микрофон | Mikrofon
settings | microphone_amplification | check | Microphone Amplification | Усиление микрофона | Усиление микрофона | Mikrofonni kuchaytirish
settings | software_level_adjustment | check | Software Level Adjustment | Программная регулировка уровня | Программная регулировка микрофона | Dastur darajasini sozlash
settings | available_codecs | anchor | Available Codecs | Доступные кодеки | Доступные кодеки | Mavjud kodeklar
settings | enabled_codecs | anchor | Enabled Codecs | Активные кодеки | Активные кодеки | Yoqilgan kodeklar
settings | force_codec | check | Force Codec for Incoming | Задавать кодек для входящих | Задавать кодек для входящих | Kiruvchi uchun kodekni majburlash
settings | disable_video | check | Disable Video | Disable Video | Отключить видеовызовы | Videoni o'chirib qo'yish
settings | camera | anchor | Camera | Камера | Камера | Kamera
settings | video_codec | anchor | Video Codec | Видеокодек | Видеокодек | Video kodek
settings | video_bitrate | anchor | Video Bitrate | Битрейт видео | Битрейт видео | Video Bitreyt
settings | source_port | edit | Source Port | Исходящий порт | Порт источника | Manba porti
settings | rport | check | rport | rport | rport | rport
settings | rtp_min | edit | RTP Ports | Порты RTP | RTP-порты | RTP portlari
settings | nameserver | edit | Nameserver | Сервер имен | Сервер имен | Nameserver
settings | dns_srv | check | DNS SRV | DNS SRV | DNS SRV | DNS SRV
settings | stun_enabled | check_right | STUN Server | STUN-сервер | STUN-сервер | STUN serveri
settings | call_recording | check_right | Call Recording | Запись звонков | Запись звонков | Qo'ng'iroqni yozib olish
settings | dtmf_method | anchor | DTMF Method | Метод DTMF | Передача DTMF | DTMF usuli
settings | auto_answer | anchor | Auto Answer | Авто-ответ | Автоответ | Avtomatik javob
settings | call_forwarding | anchor | Call Forwarding | Переадресация | Переадресация | Qo'ng'iroqlarni boshqa raqamga yo'naltirish
settings | deny_incoming | anchor | Deny Incoming | Запретить входящие | Автоотклонение | Kirishni rad etish
settings | directory_of_users | anchor | Directory of Users | Каталог пользователей | Каталог пользователей | Foydalanuvchilar katalogi
settings | default_list_action | anchor | Default List Action | Действие списка | Действие из списка | Standart ro'yxat harakati
settings | handle_media_buttons | check | Handle Media Buttons | Управление мультимедийными кнопками | Поддержка медиа клавиш | Media tugmalaridan foydalanish
settings | headset_support | check | Headset Support | Headset Support | Поддержка гарнитуры | Eshitish vositasini qo'llab-quvvatlash
settings | sound_events | check | Sound Events | Звуковые события | Звуковые события | Ovozli voqealar
settings | enable_log_file | check | Enable Log File | Включить лог-файл | Журнал событий | Jurnal faylini yoqish
settings | bring_to_front | check | Bring to Front on Incoming Call | Всплывать при входящем звонке | Переместить на передний план при входящем звонке | Kiruvchi qo'ng'iroqni oldinga olib keling
settings | enable_local_account | check | Enable Local Account | Включить локальный аккаунт | Включить локальный аккаунт | Mahalliy hisobni yoqing
settings | random_popup | check | Random Popup Position | Случайная позиция окошка | Случайная позиция окна | Tasodifiy qalqib chiqadigan joy
settings | call_waiting | check | Call Waiting | Ожидание вызова | Ожидание вызова | Qo'ng'iroqni kutish
settings | disable_messaging | check | Disable Messaging | Disable Messaging | Отключить обмен сообщениями | Xabarlar funksiyasini o'chirish
settings | multi_monitor | check | Multi Monitor Support | Поддержка нескольких мониторов | Поддержка нескольких мониторов | Ko'p monitorni qo'llab-quvvatlash
settings | handle_ip_changes | check | Handle IP changes | Обработка изменений IP | Обработка изменений IP | IP o'zgarishlarini boshqarish
settings | run_at_startup | check | Run at System Startup | Запускать при старте системы | Автозагрузка при старте системы | Tizimni ishga tushirishda ishga tushiring
settings | check_for_updates | anchor | Check for Updates | Проверять обновления | Проверять обновления | Yangilanishlarni tekshiring
"""
_PACKS = ("en", "ru_old", "ru_new", "uz", "en_0", "en_1")


def _captions() -> tuple[Caption, ...]:
    found = []
    for line in _TABLE.strip().splitlines():
        dialog, name, shape, *texts = (cell.strip() for cell in line.split("|"))
        found.append(Caption(name, Dialog(dialog), Shape(shape), dict(zip(_PACKS, texts, strict=False))))
    return tuple(found)


CAPTIONS = _captions()
BY_NAME: Mapping[str, Caption] = {caption.name: caption for caption in CAPTIONS}
TITLES: Mapping[Dialog, tuple[str, ...]] = {
    Dialog.ACCOUNT: ("Account", "Аккаунт", "Hisob"),
    Dialog.SETTINGS: ("Settings", "Общие настройки", "Настройки", "Sozlamalar"),
}
