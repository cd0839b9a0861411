// The charts of the report, made in the browser with BokehJS from the numbers in #data; and the filter of the cards.
// A chart is made when it comes into sight: two hundred at once would take the browser ten seconds.
"use strict";
(() => {
  const DAY = 86400e3;
  const data = JSON.parse(document.getElementById("data").textContent);
  const first = Date.parse(data.first + "T00:00:00Z");
  const last = first + (data.days - 1) * DAY;

  // ---- Numbers and words

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const numbers = (text) => Array.from(new Float32Array(bytes(text).buffer));
  const iso = (time) => new Date(time).toISOString().slice(0, 10);
  const dayOf = (text) => Date.parse(text + "T00:00:00Z");
  const plain = (value) => (Number.isFinite(value) ? Number(value.toPrecision(4)).toLocaleString("en") : "no value");
  const chance = (powers) => (powers >= 16 ? "beyond any chance" : powers < 0.3 ? "as healthy ones are" :
    `a chance of about 1 in ${Number((10 ** powers).toPrecision(2)).toLocaleString("en")}`);

  // ---- The library

  let loading = null;
  const library = () => (loading ??= (async () => {
    if (!("DecompressionStream" in window)) throw new Error("This browser is too old for the charts.");
    const packed = bytes(document.getElementById("bokeh").textContent);
    const text = await new Response(
      new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    Bokeh.set_log_level("warn");
  })());

  // ---- The look all charts share

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const FONT = "system-ui, sans-serif";

  function dressed(figure) {
    figure.background_fill_color = null;
    figure.border_fill_color = null;
    figure.outline_line_color = null;
    for (const axis of [...figure.xaxes, ...figure.yaxes]) {
      Object.assign(axis, {
        axis_line_color: colour("edge"), major_tick_line_color: colour("edge"), minor_tick_line_color: null,
        major_label_text_color: colour("soft"), major_label_text_font: FONT, major_label_text_font_size: "12px",
        axis_label_text_color: colour("soft"), axis_label_text_font: FONT, axis_label_text_font_size: "12px",
        axis_label_text_font_style: "normal",
      });
    }
    figure.xgrids.forEach((grid) => { grid.grid_line_color = null; });
    figure.ygrids.forEach((grid) => { grid.grid_line_color = colour("edge"); });
    return figure;
  }

  const model = (name, parts) => new (Bokeh.Models.get(name))(parts);

  function figureOf(xRange, yRange, label, xType) {
    const narrow = document.documentElement.clientWidth < 600;
    const figure = Bokeh.Plotting.figure({
      sizing_mode: "stretch_both", toolbar_location: null, tools: [], x_axis_type: xType, x_range: xRange,
      y_range: yRange, min_border_left: 0, min_border_right: 8, min_border_top: 6,
    });
    figure.yaxes[0].axis_label = label;
    figure.xaxes[0].ticker.desired_num_ticks = narrow ? 4 : 7;
    return figure;
  }

  function daysFigure(low, high, label) {
    const xRange = model("Range1d", { start: first - DAY / 2, end: last + DAY / 2,
      bounds: [first - DAY / 2, last + DAY / 2], min_interval: 6 * DAY });
    const figure = figureOf(xRange, model("Range1d", { start: low, end: high }), label, "datetime");
    figure.xaxes[0].formatter = model("DatetimeTickFormatter", {
      days: "%Y-%m-%d", months: "%Y-%m", years: "%Y", hours: "%m-%d %H:%M" });
    return figure;
  }

  const usualNumbers = () => model("BasicTickFormatter", { use_scientific: true, power_limit_high: 6 });

  // A drag selects days to look at, a double click shows all again; with a finger a drag moves the page.
  function tools(figure, hovered, dimensions) {
    const found = [model("HoverTool", { renderers: hovered, tooltips: "@label", mode: dimensions === "width" ? "vline" :
      "mouse", point_policy: "snap_to_data", attachment: "horizontal" })];
    if (!matchMedia("(pointer: coarse)").matches) found.push(model("BoxZoomTool", { dimensions }));
    found.push(model("ResetTool"));
    figure.add_tools(...found);
  }

  // ---- Parts of charts

  function runs(values) {
    const found = [];
    values.forEach((value, place) => {
      if (!Number.isFinite(value)) return;
      const run = found.at(-1);
      if (run && run.at(-1) === place - 1) run.push(place);
      else found.push([place]);
    });
    return found;
  }

  function drawBand(figure, times, low, high, middle) {
    const outlines = runs(low).map((run) => {
      const back = [...run].reverse();
      return [[...run, ...back].map((place) => times[place]),
        [...run.map((place) => low[place]), ...back.map((place) => high[place])]];
    });
    figure.patches(outlines.map(([x]) => x), outlines.map(([, y]) => y),
      { fill_color: colour("band"), fill_alpha: 0.32, line_color: colour("band"), line_alpha: 0.32 });
    figure.line(times, middle, { line_color: colour("middle"), line_width: 1.2 });
  }

  function drawSeries(figure, times, values, labels, line) {
    const source = new Bokeh.ColumnDataSource({ data: { x: times, y: values, label: labels } });
    const alone = runs(values).filter((run) => run.length === 1).flat();
    figure.scatter(alone.map((place) => times[place]), alone.map((place) => values[place]),
      { size: 3, fill_color: line, line_color: null });
    return figure.line({ field: "x" }, { field: "y" }, { source, line_color: line, line_width: 1.4 });
  }

  function drawMarks(figure, marks, at) {
    const words = new Map();
    const dots = marks.filter((mark) => mark.style === "day");
    for (const mark of marks) {
      const [left, right] = [first + (mark.first - 0.5) * DAY, first + (mark.last + 0.5) * DAY];
      if (mark.style === "span") {
        figure.add_layout(model("BoxAnnotation", { left, right, fill_color: colour("span"), fill_alpha: 0.28,
          line_color: null, level: "underlay" }));
      } else if (mark.style === "change") {
        figure.add_layout(model("Span", { location: left + DAY / 2, dimension: "height", line_width: 1.6,
          line_color: colour("change"), line_dash: [5, 4] }));
      }
      if (!words.has(mark.kind)) words.set(mark.kind, mark);
    }
    figure.scatter(dots.map((mark) => first + mark.first * DAY), dots.map((mark) => at(mark.first)),
      { size: 9, fill_color: null, line_color: colour("day"), line_width: 2 });
    [...words].forEach(([kind, mark], row) => {
      const late = mark.first > data.days * 0.7;
      figure.add_layout(model("Label", { x: first + mark.first * DAY, y: figure.y_range.end, text: kind,
        x_offset: late ? -6 : 6, text_align: late ? "right" : "left", text_color: colour("text"), text_font: FONT,
        text_font_size: "12px", text_baseline: "top", background_fill_color: colour("card"),
        background_fill_alpha: 0.8, y_offset: -2 - 18 * row }));
    });
  }

  // ---- The charts

  function drawDevice(place) {
    const { axis, band, days, marks, series } = data.cards[place];
    const bend = (value) => (axis.width === null ? value : Math.asinh(value / axis.width));
    const values = numbers(series);
    const numbered = days ?? values.map((_, day) => day);
    const times = numbered.map((day) => first + day * DAY);
    const { step, ...edges } = data.bands[band];
    const [low, middle, high] = ["low", "middle", "high"].map((name) => numbers(edges[name]));
    const bandTimes = low.map((_, part) => first + Math.min(part * step + (step - 1) / 2, data.days - 1) * DAY);
    const figure = daysFigure(bend(axis.low), bend(axis.high), "MB a day");
    if (axis.ticks) {
      figure.yaxes[0].ticker = model("FixedTicker", { ticks: axis.ticks.map(([value]) => bend(value)) });
      figure.ygrids.forEach((grid) => { grid.ticker = figure.yaxes[0].ticker; });
      figure.yaxes[0].major_label_overrides = new Map(axis.ticks.map(([value, label]) => [bend(value), label]));
    } else figure.yaxes[0].formatter = usualNumbers();
    drawBand(figure, bandTimes, low.map(bend), high.map(bend), middle.map(bend));
    const labels = numbered.map((day, at) => {
      const part = Math.floor(day / step);
      const usual = Number.isFinite(low[part]) ? `, 9 in 10 of its cohort ${plain(low[part])} to ${plain(high[part])}` : "";
      return `${iso(times[at])}: ${plain(values[at])} MB${usual}`;
    });
    const line = drawSeries(figure, times, values.map(bend), labels, colour("series"));
    drawMarks(figure, marks, (day) => bend(values[numbered.indexOf(day)]));
    tools(figure, [line], "width");
    return figure;
  }

  function drawTotals() {
    const [total, low, usual, high] = ["total", "low", "usual", "high"].map((name) => numbers(data.totals[name]));
    const times = total.map((_, day) => first + day * DAY);
    const shown = [...total, ...low, ...high].filter(Number.isFinite);
    const [least, most] = [Math.min(...shown), Math.max(...shown)];
    const margin = (most - least) * 0.06 || Math.abs(most) * 0.1 || 1;
    const figure = daysFigure(least - margin, most + margin, "MB a day, all devices");
    figure.yaxes[0].formatter = usualNumbers();
    for (const [since, until] of data.totals.anomalous) {
      figure.add_layout(model("BoxAnnotation", { left: dayOf(since) - DAY / 2, right: dayOf(until) + DAY / 2,
        fill_color: colour("span"), fill_alpha: 0.35, line_color: colour("span"), line_alpha: 0.6, level: "underlay" }));
    }
    drawBand(figure, times, low, high, usual);
    const labels = times.map((time, day) => `${iso(time)}: ${plain(total[day])} MB` +
      (Number.isFinite(low[day]) ? `, usual ${plain(low[day])} to ${plain(high[day])}` : ""));
    tools(figure, [drawSeries(figure, times, total, labels, colour("text"))], "width");
    return figure;
  }

  function surpriseTicks(most) {
    const words = { 0: "none", 2: "1 in 100", 4: "1 in 10,000", 6: "1 in a million", 9: "1 in a billion",
      12: "1 in a trillion", 16: "beyond chance" };
    return Object.entries(words).map(([power, word]) => [Number(power), word]).filter(([power]) => power <= most);
  }

  // Round amounts between two powers of ten: evenly apart where these are near each other, else by their digits.
  function levelTicks(low, high) {
    const ticks = [];
    if (high - low < 0.7) {
      const wanted = (10 ** high - 10 ** low) / 5;
      const unit = 10 ** Math.floor(Math.log10(wanted));
      const step = [1, 2, 5, 10].map((times) => times * unit).find((size) => size >= wanted);
      for (let place = Math.ceil(10 ** low / step); place * step <= 10 ** high; place += 1) ticks.push(place * step);
      return ticks;
    }
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const digit of high - low > 3 ? [1] : [1, 2, 5]) ticks.push(digit * 10 ** power);
    }
    return ticks;
  }

  function drawMap(plot) {
    const { cells, cohorts, odd, others } = data.map;
    const points = [others, odd].map((some) => some && { ...some, x: numbers(some.level), y: numbers(some.surprise) });
    const [left, bottom] = cells ? [numbers(cells.left), numbers(cells.bottom)] : [[], []];
    const x = [...points.flatMap((some) => some?.x ?? []), ...left, ...left.map((edge) => edge + cells.width)];
    const y = [...points.flatMap((some) => some?.y ?? []), ...bottom.map((edge) => edge + cells.height), 2.2];
    const extremes = (values) => values.reduce(([low, high], value) =>
      [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const [least, most] = extremes(x);
    const [, top] = extremes(y);
    const pad = (most - least) * 0.05 || 0.5;
    const figure = figureOf(model("Range1d", { start: least - pad, end: most + pad }),
      model("Range1d", { start: -top * 0.04, end: top * 1.08 }), "surprise, as a chance", "linear");
    figure.xaxes[0].axis_label = "MB a day";
    const levels = levelTicks(least - pad, most + pad);
    figure.xaxes[0].ticker = model("FixedTicker", { ticks: levels.map(Math.log10) });
    figure.xaxes[0].major_label_overrides = new Map(levels.map((value) => [Math.log10(value), plain(value)]));
    const ticks = surpriseTicks(top * 1.08);
    figure.yaxes[0].ticker = model("FixedTicker", { ticks: ticks.map(([power]) => power) });
    figure.yaxes[0].major_label_overrides = new Map(ticks);
    figure.ygrids.forEach((grid) => { grid.ticker = figure.yaxes[0].ticker; });
    const hovered = [];
    if (cells) {
      const most = Math.max(...cells.count);
      hovered.push(figure.quad({ left, bottom, right: left.map((edge) => edge + cells.width), line_color: null,
        top: bottom.map((edge) => edge + cells.height), fill_color: colour("cohort-0"),
        fill_alpha: cells.count.map((count) => 0.15 + 0.85 * Math.log1p(count) / Math.log1p(most)) }));
      hovered[0].data_source.data = { ...hovered[0].data_source.data,
        label: cells.count.map((count) => (count === 1 ? "1 device" : `${count.toLocaleString("en")} devices`)) };
    }
    points.forEach((some, isOdd) => some && hovered.push(drawPoints(figure, some, cohorts, Boolean(isOdd))));
    nameOddest(figure, points[1], top, plot.clientWidth * 0.8);
    tools(figure, hovered, "both");
    return figure;
  }

  function drawPoints(figure, some, cohorts, isOdd) {
    const tint = (number) => (isOdd ? colour("series") : colour(`cohort-${number % 6}`));
    const label = some.name.map((name, place) => `${name}: ${plain(10 ** some.x[place])} MB a day, ` +
      chance(some.y[place]) + (cohorts.length > 1 ? `, cohort ${cohorts[some.cohort[place]]}` : ""));
    const source = new Bokeh.ColumnDataSource({ data: { x: some.x, y: some.y, label, tint: some.cohort.map(tint) } });
    return figure.scatter({ field: "x" }, { field: "y" }, { source, size: isOdd ? 11 : 6, fill_alpha: isOdd ? 1 : 0.55,
      marker: isOdd ? "diamond" : "circle", fill_color: { field: "tint" }, line_color: isOdd ? colour("page") : null });
  }

  // As many names as have room, the oddest first: to the side of the point that looks inwards, and over no other name.
  function nameOddest(figure, odd, top, pixels) {
    const { start, end } = figure.x_range;
    const named = [];
    odd.name.forEach((whole, place) => {
      const [x, y] = [odd.x[place], odd.y[place]];
      const name = whole.length > 26 ? `${whole.slice(0, 25)}…` : whole;
      const width = ((name.length * 7.5 + 14) / pixels) * (end - start);
      const right = x > (start + end) / 2;
      const [from, to] = right ? [x - width, x] : [x, x + width];
      const room = named.every((other) => Math.abs(other.y - y) > top * 0.06 || other.to < from || to < other.from);
      if (room && named.length < 12) named.push({ from, to, x, y, name, right });
    });
    for (const { x, y, name, right } of named) {
      figure.add_layout(model("Label", { x, y, text: name, x_offset: right ? -9 : 9, text_align: right ? "right" : "left",
        text_baseline: "middle", text_font: FONT, text_font_size: "12px", text_color: colour("text"),
        background_fill_color: colour("page"), background_fill_alpha: 0.7 }));
    }
  }

  // ---- Making them when they are seen

  const DRAW = { totals: drawTotals, map: drawMap, device: (plot) => drawDevice(Number(plot.closest(".card").dataset.card)) };
  const shown = new Map();

  async function show(plot) {
    const wait = plot.querySelector(".wait");
    try {
      await library();
      const figure = dressed(DRAW[plot.dataset.plot](plot));
      figure.name = plot.closest(".card")?.id ?? plot.dataset.plot;
      shown.get(plot)?.remove();
      shown.set(plot, await Bokeh.Plotting.show(figure, plot));
      wait?.remove();
      if (!plot.nextElementSibling?.matches(".zoom")) plot.after(zoomButtons(plot));
    } catch (error) {
      if (wait) wait.textContent = error.message;
      throw error;
    }
  }

  function zoomButtons(plot) {
    const group = document.createElement("div");
    group.className = "zoom";
    group.role = "group";
    group.setAttribute("aria-label", "Zoom");
    const move = (nearer, along) => () => {
      const { x_range: range } = shown.get(plot).model;
      const [low, high] = range.bounds ?? [-Infinity, Infinity];
      const width = Math.min((range.end - range.start) * nearer, high - low);
      const middle = (range.start + range.end) / 2 + along * width;
      const start = Math.min(Math.max(middle - width / 2, low), high - width);
      range.setv({ start, end: start + width });
    };
    const buttons = { "−": ["Show more days", move(2, 0)], "+": ["Show fewer days", move(0.5, 0)],
      "◀": ["Earlier", move(1, -0.5)], "▶": ["Later", move(1, 0.5)], all: ["Show all", () => show(plot)] };
    for (const [text, [label, act]] of Object.entries(buttons)) {
      if (plot.dataset.plot === "map" && text !== "all") continue;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: text, title: label, onclick: act });
      button.setAttribute("aria-label", label);
      group.append(button);
    }
    return group;
  }

  const plots = [...document.querySelectorAll(".plot")];
  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) { watch.unobserve(target); show(target); }
    }
  }, { rootMargin: "600px" });
  plots.forEach((plot) => watch.observe(plot));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...shown.keys()].forEach(show));

  // On paper nothing can be opened, and a chart is as wide as the paper.
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    for (const [plot, view] of shown) {
      const image = plot.querySelector(":scope > img") ?? plot.appendChild(document.createElement("img"));
      image.src = view.export("png").canvas.toDataURL();
      image.style.background = colour("card");
    }
  });

  // ---- Filter and order of the cards

  const form = document.querySelector(".filters");
  if (form) {
    const cards = [...document.querySelectorAll(".card")];
    const rows = [...document.querySelectorAll(".list tbody tr")];
    const name = (card) => card.querySelector("h3").textContent;
    const ORDERS = {
      odd: (one, other) => one.dataset.card - other.dataset.card,
      since: (one, other) => other.dataset.since.localeCompare(one.dataset.since) || ORDERS.odd(one, other),
      name: (one, other) => name(one).localeCompare(name(other), "en", { numeric: true }),
    };
    const apply = () => {
      const { kind, order, find } = form.elements;
      const wanted = find.value.trim().toLowerCase();
      const fits = (card) => (!kind.value || card.dataset.kinds.split(" ").includes(kind.value)) &&
        name(card).toLowerCase().includes(wanted);
      cards.forEach((card) => { card.hidden = !fits(card); });
      const list = cards[0].parentElement;
      [...cards].sort(ORDERS[order.value]).forEach((card) => list.append(card));
      const left = cards.filter((card) => !card.hidden).length;
      form.querySelector("output").textContent = `${left} of ${cards.length} shown`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = cards.length < 2;
    // A link to a device that the filter hides shows it all the same.
    rows.forEach((row) => row.querySelector("a").addEventListener("click", () => {
      if (cards.find((card) => card.dataset.card === row.dataset.card).hidden) { form.reset(); apply(); }
    }));
  }
})();
