"""Coding test "IoT network traffic": one run does Task 1 (SQL) and Task 2 (odd devices) for any subset of the fleet.

python solution.py [DATA_FOLDER] reads ./data (else the folder data beside this script) and writes my_sqlite.db,
oddities.json and plots/<id>.png into the current folder.
"""

# THE METHOD OF TASK 2, and why
# "Odd relative to the subset" means: a device breaks a promise that the others keep, or a number that sums up its year
# is further from the same number of the others than chance allows. No value is odd as such. The exercise's three notes
# on the traffic are promises, and each is checked:
# - Active all year. Lost days are counted against what the other devices lose (Poisson). T days, each silent with chance
#   q, hold a silent stretch of L days with a chance of at most T * q**L; the same for a stretch stuck at one value.
# - Never negative; and, it goes without saying, one line a day with a number in it. To break that is a fact, not chance:
#   the device is odd, unless over a tenth of the fleet does it too; then it is how this fleet is recorded.
# - Largely predictable: like the others and like its own past. So these features are compared (COMPARED below). What is
#   predicted: level, spread, skewness and kurtosis (L-moments: bounded, hardly moved by single values, nearly normal)
#   and the share of distinct values. When: weekly rhythm, other cycles, memory, drift, shift of level, change of spread,
#   far days; these are tests on ranks whose law under "no order in time" is known, so that on the normal scale their
#   sampling error is 1 whatever the traffic is like. Where all have a weekly rhythm, the device without one is odd.
# How far is too far? A healthy device differs from the fleet's centre by sampling error (known: the scatter over ten
# parts of the record, "batch means"; 1 for scores) and by true differences between healthy devices. Their size is not
# known, so it is averaged over, weighted by how well each size explains the OTHER devices. With 3 devices that gives
# the wide tails that ignorance demands, with 1000 it is all but normal. A device that is far out is no example for the
# others, so it can hide neither itself nor a second one.
# The threshold follows from ALPHA and the size of the subset: of the f numbers of a device the smallest p-value is
# multiplied by f (Bonferroni: right however they depend on each other), and of n devices the k with the smallest are
# odd when the k-th is at most ALPHA * k / n (Benjamini and Hochberg). So at most ALPHA of the subsets without an odd
# device raise an alarm, whatever their size, and no constant is tuned to a device that one happened to see.
#
# WHAT CAN BE DEDUCED (question 3) for the 500 devices handed out; the run prints the numbers for any subset:
# One is odd: 4399, sneaking_catfish. It keeps the promises of form (every day there, none negative), and its mean, 105
# MB, is near the usual 100. But its days lie 49 MB from its median where 4 are usual, spread flat between 0 and 200 MB
# where a bell is usual, without rhythm, memory or date of change, so from the first day on: it alone is not "largely
# predictable". That looks like a faulty meter, a placeholder or made-up values; traffic alone cannot tell which.

import csv
import json
import math
import sqlite3
import sys
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure  # without pyplot it draws to files and needs no screen

Id = int | str
Series = dict[Id, list[tuple[str, float | str | None]]]  # device -> its lines (date, value) as they stand
Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ALPHA = 0.01  # the share of subsets without odd devices that may raise an alarm
MOST_BREAKERS = 0.1  # a promise that a larger share of the fleet breaks is not one that it keeps
FEWEST_DAYS, FEWEST_DEVICES = 28, 3  # with less there is nothing to compare
GRID = np.geomspace(0.1, 3000, 60)  # true differences between healthy devices, in sampling errors; beforehand it is
HALF_CAUCHY = GRID / (1 + GRID**2)  # as likely as not that there are none, else this weak prior (Gelman 2006)
LIKELY = np.append(0.5, 0.5 * HALF_CAUCHY / HALF_CAUCHY.sum())
CHI_SQUARED_MEDIANS = (0.4549364, 1.3862944, 2.3659739, 3.356694, 4.3514602, 5.3481206, 6.3458112, 7.3441215, 8.3428327)
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
    "volatility": ("spread after a change, over the spread before", ""),
    "spike": ("distance of the furthest day from the median", " standard deviations"),
}
MOMENTS = ("level", "spread", "skewness", "kurtosis")
RUNS = {"inactive": ("longest stretch without traffic", " days"), "frozen": ("longest stretch at one value", " days")}
CLAIMS = COMPARED | RUNS | {"lost": ("days without a line", " days")}
FACTS = {"negative": "negative traffic", "invalid": "no usable number", "duplicate": "more than one line for a day"}


class Device(NamedTuple):
    """What a series says on its own."""

    n_days: int
    broken: dict[str, list[str]]  # promise -> the days on which it is broken
    rates: dict[str, float]  # run -> how often such days come outside the longest stretch
    plain: dict[str, tuple[float, str]]  # claim -> number in natural units, and when
    features: dict[str, tuple[float, float]]  # feature -> number that is compared, and its sampling error


def as_id(text: str) -> Id:
    """A device id: a number where the text is one."""
    return int(text) if text.isascii() and text.isdigit() else text


def as_value(text: str) -> float | str | None:
    """A number; None for an empty text; any other text as it stands."""
    try:
        return float(text) if math.isfinite(float(text)) and "_" not in text else text
    except ValueError:
        return text if text.strip() else None


def read_series(folder: Path) -> Series:
    """The lines of every file iot_<id>.csv."""
    series: Series = {}
    for file in sorted(folder.glob("iot_*.csv")):
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            lines = [(day, as_value(",".join(value))) for day, *value in filter(any, csv.reader(stream))]
        series.setdefault(as_id(file.stem[4:]), []).extend(line for line in lines if line[0].strip().lower() != "date")
    return series


def read_meta(folder: Path) -> list[tuple[Id, str | None]]:
    """Ids and names in the meta file: the text or JSON file that holds a list of objects with an id."""
    files = [file for file in folder.iterdir() if file.suffix in {".txt", ".json"} and file.name != "oddities.json"]
    for file in sorted(files, key=lambda file: ("meta" not in file.name, file.name)):
        try:
            entries = json.loads(file.read_text("utf-8-sig"))
            return [(as_id(str(entry["id"])), entry["name"] and str(entry["name"])) for entry in entries]
        except (ValueError, TypeError, KeyError):
            continue  # no JSON, no list, or a list of other things
    return []


def as_wide(series: Series) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Tables (days, devices): the first usable value, whether there are more lines, and whether one has no number."""
    lines = pd.DataFrame([(*line, device) for device in series for line in series[device]], columns=["day", "mb", "id"])
    lines["day"] = pd.to_datetime(lines["day"].str.strip().str[:10], format="%Y-%m-%d", errors="coerce")
    lines["mb"] = [value if isinstance(value, float) else math.nan for value in lines["mb"]]
    lines = lines.assign(invalid=lines["mb"].isna())[lines["day"].between("1990-01-01", "2089-12-31")]  # else mistyped
    if lines["invalid"].all():
        sys.exit("no line with a day such as 2020-01-31 and a number was found in the files iot_<id>.csv")
    cells = lines.groupby(["day", "id"])
    days = pd.date_range(lines["day"].min(), lines["day"].max())
    tables = cells["mb"].first(), cells.size() > 1, cells["invalid"].any()
    wide, *flags = (table.unstack().reindex(index=days, columns=list(series)) for table in tables)
    return wide, flags[0].eq(True), flags[1].eq(True)


def task_1(series: Series, meta: list[tuple[Id, str | None]], file: Path) -> pd.DataFrame:
    """Task 1: store the series and the meta file as they are, print the answers, and return the table of names."""
    file.unlink(missing_ok=True)
    database = sqlite3.connect(file)
    # REAL: a number is stored as a number; a text that is none stays as it stands, an empty value is NULL.
    database.execute("CREATE TABLE time_series (date TEXT, device_id, series_type TEXT, value REAL)")
    database.execute("CREATE TABLE meta (id, name TEXT)")
    rows = ((day, device, value) for device in series for day, value in series[device])
    database.executemany(
        "INSERT INTO time_series (date, device_id, series_type, value) VALUES (?, ?, 'traffic', ?)", rows
    )
    database.executemany("INSERT INTO meta (id, name) VALUES (?, ?)", meta)
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
        return -NormalDist().inv_cdf(math.exp(min(log_p, -1e-12)))
    z = math.sqrt(-2 * log_p)
    for _ in range(9):  # Newton: so far out the slope of log_tail is all but -z
        z += (float(log_tail(z)) - log_p) / z
    return z


def moments(values: Array) -> Array:
    """Log of the mean, log of the mean distance from the median, L-skewness, L-kurtosis (Hosking 1990)."""
    x = np.sort(values[np.isfinite(values)])
    n, b, weight, ways = len(x), [], np.ones(len(x)), len(x)
    for k in range(4):  # probability-weighted moments
        b.append(float((weight * x).sum()) / ways if ways else math.nan)
        weight, ways = weight * (np.arange(n) - k), ways * (n - 1 - k)
    spread = float(np.abs(x - np.median(x)).mean()) if n else math.nan
    scale = 2 * b[1] - b[0] if 2 * b[1] - b[0] > 1e-12 * abs(b[0]) else math.nan
    shape = (6 * b[2] - 6 * b[1] + b[0]) / scale, (20 * b[3] - 30 * b[2] + 12 * b[1] - b[0]) / scale
    return np.array([*(math.log(size) if size > 0 else math.nan for size in (b[0], spread)), *shape])


def normal_scores(values: Array) -> Array:
    """The ranks of the values as normal quantiles with mean 0 and mean square 1; 0 where there is no value."""
    seen = np.isfinite(values)
    ranks = pd.Series(values[seen]).rank()
    quantiles = np.array([NormalDist().inv_cdf((rank - 0.375) / (len(ranks) + 0.25)) for rank in ranks])
    scores = np.zeros(len(values))
    if np.ptp(quantiles) > 0:
        scores[seen] = (quantiles - quantiles.mean()) / quantiles.std()
    return scores


def n_batches(n_days: int) -> int:
    """Into how many parts a record is cut to see how much its moments scatter."""
    return max(2, min(10, n_days // 14))


def describe(x: Array, dates: pd.DatetimeIndex, duplicated: Flags, invalid: Flags) -> Device:
    """Everything that the judgement needs of one device: x is MB a day, NaN where there is no usable value."""
    seen, days = np.isfinite(x), list(dates.strftime("%Y-%m-%d"))
    promises = {"negative": x < 0, "invalid": invalid, "duplicate": duplicated, "lost": ~seen & ~invalid}
    broken = {promise: [days[place] for place in np.flatnonzero(flags)] for promise, flags in promises.items()}
    device = Device(len(x), broken, {}, {"lost": (len(broken["lost"]), "")}, {})
    for run, flags in (("inactive", ~seen | (x == 0)), ("frozen", np.append(False, (x[1:] == x[:-1]) & (x[1:] != 0)))):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flags, [0]])))  # first day of a stretch, day after its last
        length, start = max(((b - a, -a) for a, b in zip(edges[::2], edges[1::2], strict=True)), default=(0, 0))
        device.rates[run] = (flags.sum() - length + 0.5) / (len(x) - length + 1)
        device.plain[run] = length, f", from {days[-start]}" if length else ""
    numbers = moments(x)
    if seen.sum() >= FEWEST_DAYS and np.isfinite(numbers[1]):
        parts = pd.DataFrame([moments(part) for part in np.array_split(x, n_batches(len(x)))])
        device.features.update(zip(MOMENTS, zip(numbers, parts.sem(), strict=True), strict=True))
        device.features["distinct"] = len(np.unique(x[seen])) / seen.sum(), 1 / seen.sum()
        device.plain.update({name: (number, "") for name, (number, _) in device.features.items()})
        device.plain.update({name: (np.exp(device.plain[name][0]), "") for name in ("level", "spread")})
        for name, (score, number, when) in order_in_time(x, dates, days).items():
            device.features[name], device.plain[name] = (score, 1.0), (number, when)
    return device


def order_in_time(x: Array, dates: pd.DatetimeIndex, days: list[str]) -> dict[str, tuple[float, float, str]]:
    """The features about order in time: score on the normal scale, number in natural units, when."""
    seen, n, result = np.isfinite(x), int(np.isfinite(x).sum()), {}
    ranked, away = normal_scores(x), np.abs(x - np.median(x[seen]))
    # Days of the week: Kruskal and Wallis; the chi-squared number made normal by its cube root (Wilson and Hilferty).
    groups = [group for k in range(7) if len(group := ranked[seen & (dates.day_of_week == k)])]
    between, freedom = sum(float(group.sum()) ** 2 / len(group) for group in groups), max(len(groups) - 1, 1)
    score = (math.cbrt(between / freedom) - 1 + 2 / (9 * freedom)) / math.sqrt(2 / (9 * freedom))
    result["weekly"] = score, between / n, ""
    # The strongest cycle, not weekly, that comes round four times or more: Fisher's g, with his bound for its tail.
    rounds = np.arange(4, (len(x) + 1) // 2)
    rounds = rounds[np.abs(7 * rounds[:, None] - len(x) * np.arange(1, 4)).min(axis=1) > 7]
    power = np.abs(np.fft.rfft(ranked)[rounds]) ** 2
    share = float(power.max() / (power.sum() or 1))
    log_p = math.log(len(power)) + (len(power) - 1) * math.log1p(-min(share, 1 - 1e-12))
    result["cycle"] = deviate(min(log_p, math.log(0.5))), share, f", of {len(x) / rounds[power.argmax()]:.1f} days"
    # Memory and drift: correlations with the next day and with time, on Fisher's scale.
    pairs, time = max(int((seen[1:] & seen[:-1]).sum()), 1), np.flatnonzero(seen) - np.flatnonzero(seen).mean()
    memory, drift = (ranked[1:] * ranked[:-1]).sum() / pairs, (ranked[seen] * time).mean() / time.std()
    for name, number, bias, count in (("memory", memory, 1 / pairs, pairs), ("drift", drift, 0, n)):
        bounded = min(max(number + bias, -1 + 1e-12), 1 - 1e-12)
        result[name] = math.atanh(bounded) * math.sqrt(max(count - 3, 0)), number, ""
    # A change of the level, and of the distance from the median: the largest cumulated sum, by Kolmogorov's law.
    for name, values in (("shift", x), ("volatility", away)):
        sums = np.abs(normal_scores(values).cumsum())
        size, change, k = float(sums.max()) / math.sqrt(n), int(sums[:-1].argmax()) + 1, np.arange(1, 1002)
        chance = 2 * float(((-1.0) ** (k + 1) * np.exp(-2 * (k * size) ** 2)).sum())
        before, after = (pd.Series(part).mean() for part in (values[:change], values[change:]))
        number = after - before if name == "shift" else after / before if before > 0 else math.inf
        log_p = math.log(2) - 2 * size**2 if size > 2 else math.log(max(chance, 1e-300))
        result[name] = deviate(log_p), number, f", on {days[change]}"
    # The furthest day, by the law of the largest of n normal deviations; the yardstick is hardly moved by far days.
    far = float(np.nanmax(away) / np.nanmean(away) / math.sqrt(math.pi / 2))
    log_one = min(math.log(2) + float(log_tail(far)), -1e-12)
    log_none = n * math.log1p(-math.exp(log_one))
    log_p = math.log(n) + log_one if log_none > -1e-8 else math.log(-math.expm1(log_none))
    spike = deviate(log_p) if log_p < math.log(0.5) else -deviate(log_none)
    result["spike"] = spike, far, f", on {days[int(np.nanargmax(away))]}"
    return result


def compare(feature: str, devices: dict[Id, Device]) -> dict[Id, float]:
    """Log p-value of one feature of every device that has it, given the other devices."""
    known = {key: device.features[feature] for key, device in devices.items() if feature in device.features}
    errors = [error for _, error in known.values() if np.isfinite(error)]
    known = {key: pair for key, pair in known.items() if np.isfinite(pair[0])}
    if len(known) < FEWEST_DEVICES or not errors or np.median(errors) == 0:
        return {}
    error, values = float(np.median(errors)), np.array([value for value, _ in known.values()])
    if feature in MOMENTS:  # standard errors from so few parts have too small a median
        freedom = n_batches(max(device.n_days for device in devices.values())) - 1
        error /= math.sqrt(CHI_SQUARED_MEDIANS[freedom - 1] / freedom)
    # The examples: all but those that are further out than any device of most clean fleets; wide for a small fleet.
    far = np.abs(values - np.median(values))
    core = far <= (4 + 40 / max(len(values) - 3, 0.5)) * max(1.4826 * float(np.median(far)), error)
    between, result = np.append(0, GRID * error) ** 2, {}
    for place, (key, (value, own)) in enumerate(known.items()):
        others = values[core & (np.arange(len(values)) != place)]
        spread, squares, away = between + error**2, ((others - others.mean()) ** 2).sum(), value - others.mean()
        weight = np.log(LIKELY) - (len(others) - 1) / 2 * np.log(spread) - squares / (2 * spread)
        noise = np.sqrt(spread / len(others) + (max(own, error) if np.isfinite(own) else error) ** 2)
        tails = log_tail(abs(away) / np.hypot(noise, np.sqrt(between)))
        if feature == "spike" and away > 0:  # true differences of a maximum are not normal but exponential, upwards
            rate = 1 / np.maximum(np.sqrt(between) / noise, 0.03)
            at = away / noise + 1 / rate
            tails = np.maximum(tails, np.logaddexp(log_tail(at), -rate * at + rate**2 / 2 + log_tail(rate - at)))
        log_p = math.log(2) + np.logaddexp.reduce(weight + tails) - np.logaddexp.reduce(weight)
        result[key] = min(float(log_p), 0.0)
    return result


def judge(devices: dict[Id, Device]) -> tuple[list[Id], dict[Id, dict[str, float]]]:
    """The odd devices, oddest first, and the log p-value of every claim about every device."""
    compared = {feature: compare(feature, devices) for feature in COMPARED}
    usual = {run: np.median([device.rates[run] for device in devices.values()]) for run in RUNS}
    counts = np.sort([len(device.broken["lost"]) for device in devices.values()])
    better = counts[: max(1, int((1 - MOST_BREAKERS) * (len(counts) - 1)))]
    expected = (better.sum() + 0.5) / len(better)  # half a day in all for what was not seen yet
    cluster = max(1.0, better.var() / expected)  # losses may come in clusters (quasi-Poisson)
    log_p = {}
    for key, device in devices.items():
        log_p[key] = {feature: compared[feature].get(key, 0.0) for feature in COMPARED}
        for run in RUNS:
            length, rate = device.plain[run][0], max(device.rates[run], usual[run])
            log_p[key][run] = min(math.log(device.n_days) + length * math.log(rate), 0.0) if length else 0.0
        # At least so many where so many are expected: the incomplete gamma function by its series.
        lost, mean = len(device.broken["lost"]) / cluster, expected / cluster
        terms = np.append(0, np.log(mean / (lost + np.arange(1, 9999))).cumsum())
        log_p[key]["lost"] = min(lost * math.log(mean) - mean - math.lgamma(lost + 1) + np.logaddexp.reduce(terms), 0.0)
    least = {key: min(min(log_p[key].values()) + math.log(len(CLAIMS)), 0.0) for key in devices}
    ranked = sorted(devices, key=lambda key: (least[key], str(key).rjust(20)))
    passed = [k for k, key in enumerate(ranked, 1) if math.exp(least[key]) <= ALPHA * k / len(ranked)]
    breakers = [[key for key in devices if devices[key].broken[fact]] for fact in FACTS]
    facts = {key for keys in breakers if len(keys) <= max(1, MOST_BREAKERS * len(devices)) for key in keys}
    odd = facts.union(ranked[: max(passed, default=0)])
    return sorted(odd, key=lambda key: (key not in facts, ranked.index(key))), log_p


def find_oddities(
    wide: pd.DataFrame, duplicated: pd.DataFrame, invalid: pd.DataFrame
) -> tuple[list[Id], dict[Id, dict[str, float]], dict[Id, Device]]:
    """Task 2, question 1: the odd devices, the log p-value of every claim, and what every device says on its own."""
    dates = pd.DatetimeIndex(wide.index)
    columns = (table.to_numpy().T for table in (wide, duplicated, invalid))
    described = {key: describe(x, dates, *flags) for key, x, *flags in zip(wide.columns, *columns, strict=True)}
    return *judge(described), described


def deduce(key: Id, claims: dict[str, float], devices: dict[Id, Device]) -> list[str]:
    """Task 2, question 3: what the numbers say of one device, strongest first."""
    broken = devices[key].broken
    said = [
        f"{FACTS[fact]} on {len(broken[fact])} day(s): {', '.join(broken[fact][:5])}" for fact in FACTS if broken[fact]
    ]
    for claim, log_p in sorted(claims.items(), key=lambda item: item[1]):
        if log_p <= math.log(ALPHA / len(CLAIMS)):
            (words, unit), (number, when) = CLAIMS[claim], devices[key].plain[claim]
            usual = np.nanmedian([device.plain[claim][0] for device in devices.values() if claim in device.plain])
            chance = f"p = {math.exp(log_p):.1e}" if log_p > -690 else "p < 1e-299"
            said.append(f"{words}: {number:.4g}{unit}{when}; usual: {usual:.4g}{unit} ({chance})")
    return said


def plot(key: Id, title: str, wide: pd.DataFrame) -> None:
    """Task 2, question 2: daily traffic of one device before what most of the fleet does."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots()
    band = wide.quantile([0.05, 0.95], axis=1)
    axes.fill_between(wide.index, band.loc[0.05], band.loc[0.95], color="0.8", label="nine tenths of the fleet")
    axes.plot(wide.index, wide[key], linewidth=0.9, marker=".", markersize=3, label=f"device {key}")
    axes.set(title=title, ylabel="MB a day")
    axes.legend(loc="upper right")
    figure.savefig(Path("plots") / f"{key}.png", dpi=120)


def main() -> None:
    """Run both tasks."""
    folders = [Path(argument) for argument in sys.argv[1:2]] or [Path("data"), Path(__file__).parent / "data"]
    folder = next((folder for folder in folders if folder.is_dir()), folders[0])
    series = read_series(folder)
    if not series:
        sys.exit(f"{folder}: a folder with files iot_<id>.csv is needed; python solution.py DATA_FOLDER")
    df_meta = task_1(series, read_meta(folder), Path("my_sqlite.db"))
    names = {key: name for key, name in zip(df_meta["id"], df_meta["name"], strict=True) if isinstance(name, str)}
    wide, duplicated, invalid = as_wide(series)
    odd, log_p, devices = find_oddities(wide, duplicated, invalid)
    print(f"\nTASK 2\nOdd devices: {len(odd)} of {len(devices)}")
    for key in odd:
        title = f"{key} {names.get(key, '(no name)')}"
        print(title, *deduce(key, log_p[key], devices), sep="\n  - ")
        Path("plots").mkdir(exist_ok=True)
        plot(key, title, wide)
    Path("oddities.json").write_text(json.dumps([{"id": key, "name": names.get(key)} for key in odd], indent=2) + "\n")


if __name__ == "__main__":
    main()
