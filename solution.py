"""Coding test "IoT network traffic": one run does Task 1 (SQL) and Task 2 (odd devices) for any subset of the fleet."""

# THE METHOD OF TASK 2, and why
# "Odd relative to the subset" means: a device breaks a promise that the others keep, or a number that sums up its year
# is further from theirs than chance allows. No value is odd as such. The exercise's three promises are all checked:
# - Active all year. Days without a number are counted against what the others lack. T days, each silent with chance q,
#   hold a silent stretch of L days with a chance of at most T * q**L; likewise a stretch stuck at one value.
# - Never negative; and, it goes without saying, one line a day with a number in it. To break that is a fact, no chance:
#   the device is odd, unless over a tenth of the fleet does it too; then it is how this fleet is recorded.
# - Largely predictable: like the others and like its own past. So we compare (COMPARED below) what is predicted: level,
#   spread, skewness and kurtosis (L-moments: bounded, hardly moved by single values, nearly normal), share of distinct
#   values, furthest day; and when: weekly rhythm, other cycles, memory, drift, shift of level, change of spread. These
#   are tests on ranks whose law under "no order in time" is known: their error is 1 whatever the traffic is like.
# How far is too far? A healthy device differs from the fleet's centre by sampling error (known: the scatter over ten
# parts of the record) and by true differences between healthy devices. Their size is not known, so it is averaged over,
# weighted by how well each size explains the OTHER devices: wide tails with 3 devices, as ignorance demands, all but
# normal ones with 1000. A device that is far out is no example for the others; it hides nobody.
# The threshold follows from ALPHA and the size of the subset: the smallest of a device's f p-values counts f times
# (Bonferroni: right however they depend on each other), and of n devices the k with the smallest are odd when the k-th
# is at most ALPHA * k / n (Benjamini and Hochberg). So at most ALPHA of the subsets without an odd device raise an
# alarm, whatever their size, and no constant is tuned to a device that one happened to see.
# WHAT CAN BE DEDUCED (question 3) for the 500 devices handed out; the run prints the numbers for any subset:
# One is odd: 4399, sneaking_catfish. Every day is there, none negative, its mean (105 MB) near the usual 100; its days
# lie 48 MB from its median, not 4, flat from 0 to 200 and in no order: made up, or a faulty meter; never "predictable".

import json
import math
import re
import sqlite3
import sys
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure  # without pyplot it draws to files and needs no screen

Id = int | str
Series = dict[Id, list[tuple[str, float | str | None]]]  # device -> its lines (date, value) as they stand
Surprises = dict[Id, dict[str, float]]  # device -> claim -> log of the p-value
Array = npt.NDArray[Any]
Table = pd.DataFrame
Measure = tuple[float, float, float, str]  # number to compare (RUNS: rate of such days elsewhere), error, plain, when
Devices = dict[Id, dict[str, Measure]]
ALPHA = 0.01  # the share of subsets without odd devices that may raise an alarm
MOST_BREAKERS = 0.1  # a promise that a larger share of the fleet breaks is not one that it keeps
FEWEST_DAYS, FEWEST_DEVICES = 28, 3  # with less there is nothing to compare
NORMAL = NormalDist()
GRID = np.geomspace(0.1, 3000, 60)  # true differences between healthy devices, in sampling errors; beforehand it is
HALF_CAUCHY = GRID / (1 + GRID**2)  # as likely as not that there are none, else this weak prior (Gelman 2006)
LIKELY = np.append(0.5, 0.5 * HALF_CAUCHY / HALF_CAUCHY.sum())
MEDIAN_ERRORS = (0.6744898, 0.8325546, 0.8880642, 0.9160641, 0.9328944, 0.9441152, 0.9521263, 0.9581311, 0.9627987)
COMPARED = {  # feature: in plain words, unit
    "level": ("mean traffic", " MB a day"),
    "spread": ("mean distance of a day from the median", " MB"),
    "skewness": ("lopsidedness (L-skewness; symmetric is 0)", ""),
    "kurtosis": ("weight of far days (L-kurtosis; flat is 0, a bell 0.12, rare extremes more)", ""),
    "distinct": ("share of distinct values", ""),
    "weekly": ("share of variation that goes with the day of the week", ""),
    "cycle": ("share of variation in one other cycle", ""),
    "memory": ("correlation of a day with the next", ""),
    "drift": ("correlation with time", ""),
    "shift": ("change of level on the way", " MB"),
    "volatility": ("change of the distance from the median on the way", " MB"),
    "spike": ("distance of the furthest day from the median", " standard deviations"),
}
RUNS = {"inactive": ("longest stretch without traffic", " days"), "frozen": ("longest stretch at one value", " days")}
CLAIMS = COMPARED | RUNS | {"lost": ("days without a usable number", "")}
FACTS = {"negative": "negative traffic", "invalid": "no usable number", "duplicate": "more than one line a day"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d\d?)?", re.ASCII)


def read_series(folder: Path) -> Series:
    """The lines of every file iot_<id>.csv as they stand: numbers, other texts, and None where a value is empty."""
    series: Series = {}
    for file in sorted(folder.glob("iot_*.csv")):
        lines = series.setdefault(int(file.stem[4:]) if file.stem[4:].isdecimal() else file.stem[4:], [])
        for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
            day, _, value = (part.strip() for part in line.replace('"', "").partition(","))
            if (day or value) and day.lower() != "date":
                lines.append((day, float(value) if NUMBER.fullmatch(value) else value or None))
    return series


def read_meta(folder: Path) -> list[tuple[str, str | None]]:
    """Ids and names in the meta file: the text or JSON file that holds a list of objects with an id."""
    for file in sorted([*folder.glob("*.txt"), *folder.glob("*.json")], key=lambda file: "meta" not in file.name):
        try:
            entries = json.loads(file.read_text("utf-8-sig"))
            return [(str(entry["id"]), entry.get("name") and str(entry["name"])) for entry in entries]
        except (ValueError, TypeError, KeyError, AttributeError):
            print(f"{file}: not used, for it is no JSON list of devices with id and name")
    return []


def as_wide(series: Series) -> list[Table]:
    """Tables (days, devices): the first usable value, whether there are more lines, and whether one has no number."""
    lines = pd.DataFrame([(*line, device) for device in series for line in series[device]], columns=["day", "mb", "id"])
    lines["day"] = pd.to_datetime(lines["day"].str[:10], format="%Y-%m-%d", errors="coerce")
    lines["mb"] = [value if isinstance(value, float) else math.nan for value in lines["mb"]]
    lines = lines.assign(invalid=lines["mb"].isna())[lines["day"].between("1990-01-01", "2089-12-31")]  # else mistyped
    if lines["invalid"].all():
        sys.exit("no file iot_<id>.csv with a line such as 2020-01-31,96.4 was found; python solution.py DATA_FOLDER")
    cells, days = lines.groupby(["day", "id"]), pd.date_range(lines["day"].min(), lines["day"].max())
    tables = cells["mb"].first(), (cells.size() > 1).astype(float), cells["invalid"].any().astype(float)
    return [table.unstack().reindex(index=days, columns=list(series)) for table in tables]


def task_1(series: Series, meta: list[tuple[str, str | None]], file: Path) -> Table:
    """Task 1: store the series and the meta file as they are, print the answers, and return the table of names."""
    file.unlink(missing_ok=True)
    database = sqlite3.connect(file)
    # REAL: a number is stored as a number; a text that is none stays as it stands, an empty value is NULL. So for ids.
    database.execute("CREATE TABLE time_series (date TEXT, device_id INTEGER, series_type TEXT, value REAL)")
    database.execute("CREATE TABLE meta (id INTEGER, name TEXT)")
    rows = ((day, device, value) for device in series for day, value in series[device])
    database.executemany("INSERT INTO time_series VALUES (?, ?, 'traffic', ?)", rows)
    database.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    database.commit()
    df_meta = pd.read_sql("SELECT id, name FROM meta", database)
    # Only numbers are summed: SQLite would read a text such as '12,5' as 12.
    first_day = """
        SELECT substr(date, 1, 10) AS first_day, TOTAL(value) FILTER (WHERE typeof(value) = 'real') AS total_mb
        FROM time_series
        WHERE first_day = (SELECT MIN(substr(date, 1, 10)) FROM time_series WHERE date LIKE '____-__-__%')"""
    # By device id, for two devices may share a name, and one without a name counts too.
    top_five = """
        SELECT device_id, (SELECT name FROM meta WHERE id = device_id LIMIT 1) AS name,
               TOTAL(value) FILTER (WHERE typeof(value) = 'real') AS total_mb
        FROM time_series GROUP BY device_id ORDER BY total_mb DESC, device_id LIMIT 5"""
    print(f"TASK 1\nDevices with data: {len(series)}; devices in the meta file (df_meta): {len(df_meta)}")
    for title, question in (("Total traffic on the first day", first_day), ("Top five devices", top_five)):
        print(f"{title}:\n{pd.read_sql(question, database).to_string(index=False)}")
    database.close()
    return df_meta


@np.vectorize(otypes=[float])
def log_tail(z: float) -> float:
    """Log of the chance that a standard normal number exceeds z; far out, where that underflows, by its expansion."""
    if z < 35:
        return math.log(math.erfc(z / math.sqrt(2)) / 2)
    return -z * z / 2 - math.log(z * math.sqrt(2 * math.pi)) + math.log1p(-1 / z**2 + 3 / z**4 - 15 / z**6)


def deviate(log_p: float) -> float:
    """The number that a standard normal one exceeds with chance exp(log_p): the inverse of log_tail."""
    if log_p > -600:
        return -NORMAL.inv_cdf(math.exp(min(log_p, -1e-12)))
    z = math.sqrt(-2 * log_p)
    for _ in range(9):  # Newton: so far out the slope of log_tail is all but -z
        z += (float(log_tail(z)) - log_p) / z
    return z


def moments(values: Array) -> list[float]:
    """Log of the mean, log of the mean distance from the median, L-skewness, L-kurtosis (Hosking 1990)."""
    x = np.sort(values[np.isfinite(values)])
    n, b, weight, ways = len(x), [], np.ones(len(x)), len(x)
    for k in range(4):  # probability-weighted moments
        b.append(float((weight * x).sum()) / ways if ways else math.nan)
        weight, ways = weight * (np.arange(n) - k), ways * (n - 1 - k)
    spread = np.abs(x - np.median(x)).mean() if n else math.nan
    scale = 2 * b[1] - b[0] if 2 * b[1] - b[0] > 1e-12 * abs(b[0]) else math.nan
    shape = (6 * b[2] - 6 * b[1] + b[0]) / scale, (20 * b[3] - 30 * b[2] + 12 * b[1] - b[0]) / scale
    logs = (math.log(size) if size > 0 else math.nan for size in (b[0], spread))
    return [round(number, 12) for number in (*logs, *shape)]  # what is left of rounding errors is no scatter


def normal_scores(values: Array) -> Array:
    """The ranks of the values as normal quantiles with mean 0 and mean square 1; 0 where there is no value."""
    seen, scores = np.isfinite(values), np.zeros(len(values))
    places = (pd.Series(values[seen]).rank() - 0.375) / (seen.sum() + 0.25)
    quantiles = np.array([NORMAL.inv_cdf(place) for place in places])
    scores[seen] = (quantiles - quantiles.mean()) / (quantiles.std() or 1.0)
    return scores


def describe(x: Array, dates: pd.DatetimeIndex, duplicated: Array, invalid: Array) -> dict[str, Measure]:
    """Everything that the judgement needs of one device: x is MB a day, NaN where there is no usable value."""
    seen, days = np.isfinite(x), list(dates.strftime("%Y-%m-%d"))
    device: dict[str, Measure] = dict.fromkeys(COMPARED, (math.nan, math.nan, math.nan, ""))
    for fact, flags in {"negative": x < 0, "invalid": invalid, "duplicate": duplicated, "lost": ~seen}.items():
        on = [days[place] for place in np.flatnonzero(flags)]
        device[fact] = len(on), 0.0, len(on), f" ({', '.join(on[:5])}{' ...' * (len(on) > 5)})"
    for run, flags in (("inactive", ~seen | (x == 0)), ("frozen", np.append(False, (x[1:] == x[:-1]) & (x[1:] != 0)))):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flags, [0]])))  # first day of a stretch, day after its last
        length, start = max(((b - a, -a) for a, b in zip(edges[::2], edges[1::2], strict=True)), default=(0, 0))
        rest, every = ((flags.sum() - less + 0.5) / (len(x) - less + 1) for less in (length, 0))
        device[run] = rest, every, length, f" from {days[-start]}"
    if seen.sum() >= FEWEST_DAYS and math.isfinite((numbers := moments(x))[1]):
        errors = pd.DataFrame([moments(part) for part in np.array_split(x, max(2, min(10, len(x) // 14)))]).sem()
        for name, number, error in zip(COMPARED, numbers, errors, strict=False):
            device[name] = number, error, math.exp(number) if name in ("level", "spread") else number, ""
        distinct = len(np.unique(x[seen])) / seen.sum()
        device |= {"distinct": (distinct, 1 / seen.sum(), distinct, "")} | order_in_time(x, dates, days)
    return device


def order_in_time(x: Array, dates: pd.DatetimeIndex, days: list[str]) -> dict[str, Measure]:
    """The features about order in time, on the normal scale."""
    seen, n, result = np.isfinite(x), int(np.isfinite(x).sum()), {}
    ranked, away = normal_scores(x), np.abs(x - np.median(x[seen]))
    folded = normal_scores(np.round(away / away[seen].mean(), 9))  # rounded: equal distances stay equal
    # Days of the week: Kruskal and Wallis; the chi-squared number made normal by its cube root (Wilson and Hilferty).
    groups = [group for k in range(7) if len(group := ranked[seen & (dates.day_of_week == k)])]
    between, freedom = sum(float(group.sum()) ** 2 / len(group) for group in groups), max(len(groups) - 1, 1)
    variance = 2 / (9 * freedom)
    result["weekly"] = (math.cbrt(between / freedom) - 1 + variance) / math.sqrt(variance), 1.0, between / n, ""
    # The strongest cycle, not weekly, that comes round four times or more: Fisher's g, with his bound for its tail.
    rounds = np.arange(4, (len(x) + 1) // 2)
    rounds = rounds[np.abs(7 * rounds[:, None] - len(x) * np.arange(1, 4)).min(axis=1) > 7]
    power = np.abs(np.fft.rfft(ranked)[rounds]) ** 2
    share = power.max() / power.sum() if power.sum() > 1e-9 * len(x) ** 2 else 0.0  # else only rounding errors are left
    log_p = min(math.log(len(power)) + (len(power) - 1) * math.log1p(-min(share, 1 - 1e-12)), math.log(0.5))
    result["cycle"] = deviate(log_p), 1.0, share, f" (of {len(x) / rounds[power.argmax()]:.1f} days)"
    # Memory and drift: correlations with the next day and with time, on Fisher's scale.
    pairs, time = max(int((seen[1:] & seen[:-1]).sum()), 1), np.flatnonzero(seen) - np.flatnonzero(seen).mean()
    memory = "memory", (ranked[1:] * ranked[:-1]).sum() / pairs, 1 / pairs, pairs
    for name, number, bias, count in (memory, ("drift", (ranked[seen] * time).mean() / time.std(), 0, n)):
        bounded = np.clip(number + bias, -1 + 1e-12, 1 - 1e-12)
        result[name] = math.atanh(bounded) * math.sqrt(max(count - 3, 0)), 1.0, number, ""
    # A change of the level, and of the distance from the median: the largest cumulated sum, by Kolmogorov's law.
    for name, values, scores in (("shift", x, ranked), ("volatility", away, folded)):
        sums, j, k = np.abs(scores.cumsum()), np.arange(1, n), np.arange(1, 1002)
        best = (sums[seen][:-1] / np.sqrt(j * (n - j)))[4:-4].argmax()  # the step that fits best
        size, change = (sums.max() + 0.5826) / math.sqrt(n), int(np.flatnonzero(seen)[5 + best])  # Siegmund 1985
        chance = 2 * float(((-1.0) ** (k + 1) * np.exp(-2 * (k * size) ** 2)).sum())
        log_p = math.log(2) - 2 * size**2 if size > 2 else math.log(max(chance, 1e-300))
        number = pd.Series(values[change:]).mean() - pd.Series(values[:change]).mean()
        result[name] = deviate(log_p), 1.0, number, f" on {days[change]}"
    # The furthest day; the yardstick is hardly moved by far days, the error that of the largest of n normal deviations.
    far = float(np.nanmax(away) / np.nanmean(away) / math.sqrt(math.pi / 2))
    low, high = (NORMAL.inv_cdf((1 + NORMAL.cdf(z) ** (1 / n)) / 2) for z in (-1, 1))
    result["spike"] = math.log(far), math.log(high / low) / 2, far, f" on {days[int(np.nanargmax(away))]}"
    return result


def compare(feature: str, devices: Devices, n_days: int) -> dict[Id, float]:
    """Log p-value of one feature of every device that has it, given the other devices."""
    known = {key: device[feature] for key, device in devices.items() if math.isfinite(device[feature][0])}
    errors = [device[feature][1] for device in devices.values() if math.isfinite(device[feature][1])]
    error, values = float(np.median(errors or [0.0])), np.array([measure[0] for measure in known.values()])
    if len(known) < FEWEST_DEVICES or error == 0:
        return {}
    if feature in list(COMPARED)[:4]:  # the median of standard errors from 2 to 10 parts is too small by that
        error /= MEDIAN_ERRORS[max(2, min(10, n_days // 14)) - 2]
    # The examples: all but those that are further out than any device of most clean fleets; wide for a small fleet.
    far = np.abs(values - np.median(values))
    error = max(error, 1.4826 * float(np.median(far)) / 300)  # past that it hardly matters, but the grid would end
    core = far <= (4 + 40 / max(len(values) - 3, 0.5)) * max(1.4826 * float(np.median(far)), error)
    between, result = np.append(0, GRID * error) ** 2, {}
    for place, (key, (value, own, _, _)) in enumerate(known.items()):
        others = values[core & (np.arange(len(values)) != place)]
        spread, squares, away = between + error**2, ((others - others.mean()) ** 2).sum(), value - others.mean()
        weight = np.log(LIKELY) - (len(others) - 1) / 2 * np.log(spread) - squares / (2 * spread)
        noise = np.sqrt(spread / len(others) + (max(own, error) if math.isfinite(own) else error) ** 2)
        tails = log_tail(abs(away) / np.hypot(noise, np.sqrt(between)))
        if feature == "spike" and away > 0:  # true differences of a maximum are not normal but exponential, upwards
            uneven = 0.225 ** (2 / 3) * max(own, error) ** 2  # part of its error is too: its skewness is 0.45 by itself
            rest = np.sqrt(noise**2 - uneven)
            rate = 1 / np.maximum(np.sqrt(between + uneven) / rest, 0.03)
            at = away / rest + 1 / rate
            tails = np.maximum(tails, np.logaddexp(log_tail(at), -rate * at + rate**2 / 2 + log_tail(rate - at)))
        result[key] = min(math.log(2) + np.logaddexp.reduce(weight + tails) - np.logaddexp.reduce(weight), 0.0)
    return result


def lost_log_p(lost: float, others: Array) -> float:
    """Log of the chance to lose so many days, given how many each of the others loses."""
    # Poisson with a rate known from so few is negative binomial (half a day in all added for what was not seen yet),
    # stretched where the others lose days in clusters. Its tail is the incomplete beta function, by its series.
    stretch = max(1.0, others.var(ddof=1) / (others.sum() + 0.5) * len(others)) if len(others) > 1 else 1.0
    a, b, x, k = lost / stretch, (others.sum() + 0.5) / stretch, 1 / (len(others) + 1), np.arange(9999)
    series = np.logaddexp.reduce(np.append(0, np.log((a + b + k) / (a + 1 + k) * x).cumsum()))
    first = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a + 1) - math.lgamma(b)
    return float(min(max(first + series, math.log(1e-300)), 0.0))


def judge(devices: Devices, n_days: int) -> tuple[list[Id], Surprises]:
    """The odd devices, oddest first, and the log p-value of every claim about every device."""
    compared = {feature: compare(feature, devices, n_days) for feature in COMPARED}
    enough, log_days = len(devices) >= FEWEST_DEVICES, math.log(n_days)  # two devices cannot say what is usual
    usual = {run: float(np.median([device[run][1] for device in devices.values()])) * enough for run in RUNS}
    lost = np.array([device["lost"][0] for device in devices.values()])
    capped = np.minimum(lost, np.sort(lost)[-1 - len(lost) // 10] + 2)  # the worst tenth are no examples
    surprises: Surprises = {}
    for place, (key, device) in enumerate(devices.items()):
        surprises[key] = {feature: compared[feature].get(key, 0.0) for feature in COMPARED}
        surprises[key] |= {r: min(log_days + device[r][2] * math.log(max(device[r][0], usual[r])), 0.0) for r in RUNS}
        surprises[key]["lost"] = lost_log_p(lost[place], np.delete(capped, place)) if len(lost) > 1 else 0.0
    least = {key: min(claims.values()) + math.log(len(CLAIMS)) for key, claims in surprises.items()}
    ranked = sorted(devices, key=lambda key: (least[key], str(key).rjust(20)))
    passed = [k for k, key in enumerate(ranked, 1) if math.exp(least[key]) <= ALPHA * k / len(ranked)]
    breakers = [[key for key in devices if devices[key][fact][0]] for fact in FACTS]
    facts = {key for keys in breakers if len(keys) <= max(1, MOST_BREAKERS * len(devices)) for key in keys}
    odd = [key for key in ranked if key in facts or key in ranked[: max(passed, default=0)]]
    return sorted(odd, key=lambda key: key not in facts), surprises


def find_oddities(wide: Table, duplicated: Table, invalid: Table) -> tuple[list[Id], Surprises, Devices]:
    """Task 2, question 1. Tables (days, devices): every day of the record, MB (NaN = no number) and two of flags."""
    columns = zip(wide.columns, *(table.to_numpy().T for table in (wide, duplicated == 1, invalid == 1)), strict=True)
    devices = {key: describe(x, pd.DatetimeIndex(wide.index), *flags) for key, x, *flags in columns}
    return *judge(devices, len(wide)), devices


def deduce(device: dict[str, Measure], surprises: dict[str, float], devices: Devices) -> list[str]:
    """Task 2, question 3: what the numbers say of one device; broken promises, then the strongest first."""
    said = [f"{words}: {device[fact][2]} day(s){device[fact][3]}" for fact, words in FACTS.items() if device[fact][0]]
    for claim, log_p in sorted(surprises.items(), key=lambda item: item[1]):
        if log_p <= math.log(ALPHA / len(CLAIMS)):
            (words, unit), (*_, number, when) = CLAIMS[claim], device[claim]
            usual = np.nanmedian([other[claim][2] for other in devices.values()])
            chance = f"p = {math.exp(log_p):.1e}" if log_p > -690 else "p < 1e-299"
            said.append(f"{words}: {number:.4g}{unit}{when}; usual: {usual:.4g}{unit} ({chance})")
    return said


def plot(key: Id, title: str, wide: Table) -> None:
    """Task 2, question 2: daily traffic of one device before what most of the fleet does."""
    axes = (figure := Figure(figsize=(12, 4), layout="constrained")).subplots()
    low, high = (wide.quantile(share, axis=1) for share in (0.05, 0.95))
    axes.fill_between(wide.index, low, high, color="0.8")
    axes.plot(wide.index, wide[key], linewidth=0.9, marker=".", markersize=3)
    axes.set(title=title, ylabel="MB a day (grey: nine tenths of the fleet)")
    Path("plots").mkdir(exist_ok=True)
    figure.savefig(f"plots/{key}.png")


def main() -> None:
    """Run as python solution.py [DATA_FOLDER]; without it ./data is read, else the folder data beside this script."""
    places = [Path(sys.argv[1])] if sys.argv[1:] else [Path("data"), Path(__file__).with_name("data")]
    folder = next(filter(Path.is_dir, places), places[0])
    wide, *flags = as_wide(series := read_series(folder))
    df_meta = task_1(series, read_meta(folder), Path("my_sqlite.db"))
    names = {key: name for key, name in zip(df_meta["id"], df_meta["name"], strict=True) if isinstance(name, str)}
    odd, surprises, devices = find_oddities(wide, *flags)
    print(f"\nTASK 2\nOdd devices: {len(odd)} of {len(devices)}")
    for key in odd:
        title = f"{key} {names.get(key, '(no name)')}"
        print(title, *deduce(devices[key], surprises[key], devices), sep="\n  - ")
        plot(key, title, wide)
    Path("oddities.json").write_text(json.dumps([{"id": key, "name": names.get(key)} for key in odd], indent=2) + "\n")


if __name__ == "__main__":
    main()
