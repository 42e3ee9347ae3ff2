"""The numbers of a period in people's words: a text that says all of it, and the words of the picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from bot.chart import CauseBar, DayBar, Picture, Tile
from bot.model import Owner, Status, Step
from bot.numbers import Cause, Numbers, Spread
from bot.wording import decimal, duration
from messages import Catalogue

CAUSES_MAX = 7  # of the most frequent; the others are summed up
DOUBTED_FROM = 5  # a step told fewer times proves nothing
BAR_MAX = 10
BLOCKS = "▁▂▃▄▅▆▇"
GROUP = {Owner.USER: 0, Owner.SERVER: 1, Owner.NONE: 2}
GROUPS = ("stats.at_user", "stats.at_server", "stats.at_none")  # their words, in this order


def text(words: Catalogue, found: Numbers, *, bars: bool) -> Markup:
    """All of it in words; with bars where no picture goes with it."""
    lines = [words.html("stats.head", **_period(found)), *_counts(words, found)]
    if bars:
        lines.append(words.html("stats.by_day", days=_blocks([day.opened for day in found.days])))
    elif len(found.days) > 1:
        fullest = max(found.days, key=lambda day: day.opened)
        mean = decimal(found.opened / len(found.days))
        lines.append(words.html("stats.per_day", mean=mean, most=fullest.opened, day=f"{fullest.day:%d.%m}"))
    shown = _shown(words, found.causes)
    if shown:
        lines += [Markup(""), words.html("stats.causes", owners=_owners(words, shown))]
    most = max((count for _, count, _ in shown), default=1)
    for label, count, _ in shown:
        key = "stats.cause_bar" if bars else "stats.cause"
        bar = "▇" * max(1, round(count / most * BAR_MAX))
        lines.append(words.html(key, None, bar=bar, count=count, cause=label))
    return Markup("\n").join(lines)


def _counts(words: Catalogue, found: Numbers) -> list[Markup]:
    counted = {status.value: found.statuses[status] for status in Status}
    lines = [words.html("stats.counts", None, opened=found.opened, **counted)]
    if (pct := found.solved_alone_pct) is not None:
        lines.append(words.html("stats.alone", share=pct, alone=found.solved_alone, ended=found.ended))
    for key, spread in (("answer", found.first_answer), ("staff", found.first_staff), ("solution", found.solution)):
        if spread.median_s is not None and spread.p90_s is not None:
            values = {"median": duration(words, spread.median_s), "most": duration(words, spread.p90_s)}
            lines.append(words.html(f"stats.{key}", **values))
    if found.rating.mean is not None:
        lines.append(words.html("stats.rating", mean=decimal(found.rating.mean), count=found.rating.count))
    lines.append(words.html("stats.now", open=found.now.open, waiting=found.now.waiting))
    if (doubted := _doubted(found)) is not None:
        step, given, in_vain = doubted
        name = words.plain(f"step.{step}.name")
        lines.append(words.html("stats.doubted", step=name, given=given, in_vain=in_vain))
    return lines


def picture(words: Catalogue, found: Numbers) -> Picture:
    """The words and numbers of the picture."""
    period = _period(found)
    pct = found.solved_alone_pct
    tiles = [
        Tile(str(found.opened), words.plain("stats.tile_opened")),
        Tile("–" if pct is None else f"{pct} %", words.plain("stats.tile_alone")),
        Tile(
            "–" if found.rating.mean is None else f"{decimal(found.rating.mean)} ★",
            words.plain("stats.tile_rating", count=found.rating.count),
        ),
        Tile(_median(words, found.first_answer), words.plain("stats.tile_answer")),
        Tile(_median(words, found.first_staff), words.plain("stats.tile_staff")),
        Tile(_median(words, found.solution), words.plain("stats.tile_solution")),
    ]
    return Picture(
        title=words.plain("stats.title", days=period["days"]),
        subtitle=f"{period['first']} – {period['last']}",
        tiles=tiles,
        days_title=words.plain("stats.days_title"),
        days_legend=(words.plain("stats.day_all"), words.plain("stats.day_solved")),
        days=[DayBar(f"{day.day:%d.%m}", day.opened, day.solved) for day in found.days],
        causes_title=words.plain("stats.causes_title"),
        causes_legend=(words.plain(GROUPS[0]), words.plain(GROUPS[1]), words.plain(GROUPS[2])),
        causes=[CauseBar(*shown) for shown in _shown(words, found.causes)],
    )


def _median(words: Catalogue, spread: Spread) -> str:
    return duration(words, spread.median_s)


def _period(found: Numbers) -> dict[str, str]:
    first, last = found.days[0].day, found.days[-1].day
    return {"days": str(len(found.days)), "first": f"{first:%d.%m.%Y}", "last": f"{last:%d.%m.%Y}"}


def _shown(words: Catalogue, causes: tuple[Cause, ...]) -> list[tuple[str, int, int]]:
    """(cause in words, how often, its group): the most frequent and, last, all others together."""
    shown = [(_name(words, cause.step), cause.count, GROUP[cause.owner]) for cause in causes[:CAUSES_MAX]]
    rest = sum(cause.count for cause in causes[CAUSES_MAX:])
    return [*shown, (words.plain("stats.others"), rest, GROUP[Owner.NONE])] if rest else shown


def _owners(words: Catalogue, shown: list[tuple[str, int, int]]) -> str:
    """Whose turn it was how often, as the colours of the picture tell it."""
    counts = [sum(count for _, count, group in shown if group == place) for place in range(len(GROUPS))]
    return " · ".join(f"{words.plain(key)} {count}" for key, count in zip(GROUPS, counts, strict=True) if count)


def _name(words: Catalogue, step: Step) -> str:
    return words.plain("stats.no_fault" if step is Step.CONNECTED else f"step.{step}.name")


def _doubted(found: Numbers) -> tuple[Step, int, int] | None:
    """The step most often done in vain for how often it is told: (step, told, in vain). None: none stands out."""
    given: dict[Step, int] = {}
    in_vain: dict[Step, int] = {}
    for score in found.scores:
        given[score.step] = given.get(score.step, 0) + score.given
        in_vain[score.step] = in_vain.get(score.step, 0) + score.contradicted
    often = [step for step in given if given[step] >= DOUBTED_FROM and in_vain[step] > 0]
    worst = max(often, key=lambda step: in_vain[step] / given[step], default=None)
    return (worst, given[worst], in_vain[worst]) if worst is not None else None


def _blocks(counts: Iterable[int]) -> str:
    """A line of blocks, one a day: the higher the more."""
    heights = list(counts)
    most = max([1, *heights])
    return "".join(BLOCKS[round(height / most * (len(BLOCKS) - 1))] for height in heights)
