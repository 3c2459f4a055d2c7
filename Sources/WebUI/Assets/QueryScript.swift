enum QueryScript {
    /// The query page. What it shows stands in its URL, with the names that links from Prometheus use.
    static let text = #"""
        "use strict";
        (() => {
          const { el } = hearth;
          const rowsMax = 10000;
          const ranges = ["1m", "5m", "15m", "30m", "1h", "2h", "6h", "12h", "1d", "2d", "1w", "2w", "4w", "12w", "1y"];
          const units = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 };

          function seconds(text) {
            if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
            if (!/^(\d+(ms|[smhdwy]))+$/.test(text)) return null;
            const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
            return parts.reduce((sum, [, count, unit]) => sum + count * units[unit], 0);
          }
          function inputTime(text) {
            if (!text) return null;
            const time = Date.parse(text.includes("T") ? text : text.replace(" ", "T"));
            return Number.isNaN(time) ? null : time / 1000;
          }

          const oldTabs = { 0: "graph", 1: "table" };
          const wantedTab = hearth.parameter("g0.tab", "table");
          const page = { tab: oldTabs[wantedTab] || (wantedTab === "graph" ? "graph" : "table"), running: null };

          const expression = el("textarea", {
            spellcheck: "false", "aria-label": "Expression", placeholder: "Expression, for example: sum by (job) (up)",
            value: hearth.parameter("g0.expr", ""), onkeydown: (event) => {
              if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); run(); }
            },
          });
          const names = el("datalist", { id: "metric-names" });
          const picker = el("input", {
            class: "grow", list: "metric-names", placeholder: "Insert a metric", "aria-label": "Insert a metric",
            onchange: () => {
              if (!picker.value) return;
              const metric = hearth.series({ __name__: picker.value });
              expression.setRangeText(metric, expression.selectionStart, expression.selectionEnd, "end");
              picker.value = "";
              expression.focus();
            },
          });
          const execute = el("button", { class: "primary", type: "button", onclick: () => run() }, "Execute");
          const format = el("button", { type: "button", onclick: reformat }, "Format");
          const moment = el("input", { placeholder: "now", "aria-label": "Evaluation time",
            value: hearth.parameter("g0.moment_input", ""), onchange: () => run() });
          const range = el("input", { class: "short", "aria-label": "Range",
            value: hearth.parameter("g0.range_input", "1h"), onchange: () => run() });
          const end = el("input", { placeholder: "now", "aria-label": "End time",
            value: hearth.parameter("g0.end_input", ""), onchange: () => run() });
          const resolution = el("input", { class: "short", placeholder: "auto", "aria-label": "Resolution in seconds",
            value: hearth.parameter("g0.step_input", ""), onchange: () => run() });
          const tabs = el("div", { class: "row", role: "tablist" });
          const controls = el("div", { class: "row" });
          const facts = el("span", { class: "soft end" });
          const output = el("div", {});

          function showTabs() {
            tabs.replaceChildren(...["table", "graph"].map((name) => el("button", {
              type: "button", role: "tab", "aria-selected": String(page.tab === name),
              onclick: () => { page.tab = name; showTabs(); run(); },
            }, name === "table" ? "Table" : "Graph")), facts);
            controls.replaceChildren(...page.tab === "table"
              ? ["Time ", moment]
              : [widener("Shorter range", "−", -1), range, widener("Longer range", "+", 1), "until ", end, "step ",
                resolution]);
          }

          function widener(label, text, direction) {
            return el("button", { type: "button", "aria-label": label, onclick: () => widen(direction) }, text);
          }

          function widen(direction) {
            const current = seconds(range.value) || 3600;
            const next = direction > 0 ? ranges.find((text) => seconds(text) > current)
              : ranges.findLast((text) => seconds(text) < current);
            if (next) { range.value = next; run(); }
          }

          function remember() {
            const form = new URLSearchParams({ "g0.expr": expression.value, "g0.tab": page.tab });
            if (page.tab === "graph") {
              form.set("g0.range_input", range.value);
              if (end.value) form.set("g0.end_input", end.value);
              if (resolution.value) form.set("g0.step_input", resolution.value);
            } else if (moment.value) form.set("g0.moment_input", moment.value);
            if ("?" + form !== location.search) history.pushState(null, "", "?" + form);
          }

          async function reformat() {
            try {
              expression.value = (await hearth.api("format_query", { query: expression.value }, { post: true })).data;
            } catch (error) {
              output.replaceChildren(hearth.notice("error", error.message));
            }
          }

          async function run() {
            const query = expression.value.trim();
            if (!query) return;
            remember();
            if (page.running) page.running.abort();
            const running = page.running = new AbortController();
            execute.disabled = true;
            facts.replaceChildren("…");
            const started = performance.now();
            try {
              const shown = await (page.tab === "table" ? table(query, running.signal) : graph(query, running.signal));
              if (running !== page.running) return;
              const took = hearth.duration((performance.now() - started) / 1000);
              facts.replaceChildren("Load time: " + took + " · " + shown.facts);
              output.replaceChildren(...shown.notices, shown.content);
            } catch (error) {
              if (error.name === "AbortError") return;
              facts.replaceChildren();
              output.replaceChildren(hearth.notice("error", error.message));
            } finally {
              if (running === page.running) execute.disabled = false;
            }
          }

          function notices(envelope) {
            return (envelope.warnings || []).map((text) => hearth.notice("warning", text))
              .concat((envelope.infos || []).map((text) => hearth.notice("info", text)));
          }

          async function table(query, signal) {
            const time = moment.value ? inputTime(moment.value) : Date.now() / 1000;
            if (time === null) throw new Error("The evaluation time must look like 2025-01-31 12:00:00.");
            const envelope = await hearth.api("query", { query, time: time.toFixed(3) }, { post: true, signal });
            const { resultType, result } = envelope.data;
            const isList = resultType === "vector" || resultType === "matrix";
            const list = isList ? result : [{ metric: null, value: result }];
            const rows = list.slice(0, rowsMax).map((entry) => el("tr", {},
              el("td", { class: "mono break" }, entry.metric === null ? resultType : hearth.series(entry.metric)),
              el("td", { class: resultType === "matrix" ? "mono lines" : "number" }, values(entry))));
            const shown = notices(envelope);
            if (list.length > rowsMax) {
              const text = "Only the first " + rowsMax + " of " + list.length + " series are shown.";
              shown.push(hearth.notice("warning", text));
            }
            const content = list.length === 0 ? hearth.notice("info", "The query has an empty result.")
              : el("div", { class: "scroll" }, el("table", {}, el("tbody", {}, rows)));
            return { content, notices: shown, facts: "Result series: " + list.length };
          }

          function values(entry) {
            if (entry.value) return entry.value[1];
            if (entry.histogram) return histogram(entry.histogram[1]);
            const floats = (entry.values || []).map(([time, value]) => value + " @ " + time);
            const others = (entry.histograms || []).map(([time, value]) => histogram(value) + " @ " + time);
            return floats.concat(others).join("\n");
          }

          function histogram(value) { return "count " + value.count + ", sum " + value.sum; }

          async function graph(query, signal) {
            const span = seconds(range.value);
            if (!span) throw new Error("The range must look like 1h30m.");
            const until = end.value ? inputTime(end.value) : Date.now() / 1000;
            if (until === null) throw new Error("The end time must look like 2025-01-31 12:00:00.");
            const step = resolution.value ? seconds(resolution.value) : Math.max(Math.ceil(span / 300), 1);
            if (!step) throw new Error("The step must be a number of seconds.");
            const start = until - span;
            const envelope = await hearth.api("query_range",
              { query, start: start.toFixed(3), end: until.toFixed(3), step }, { post: true, signal });
            const matrix = envelope.data.result;
            const content = matrix.length === 0 ? hearth.notice("info", "The query has an empty result.")
              : hearth.graph(matrix, start, until, step);
            const facts = "Resolution: " + hearth.duration(step) + " · Result series: " + matrix.length;
            return { content, notices: notices(envelope), facts };
          }

          async function loadNames() {
            try {
              const envelope = await hearth.api("label/__name__/values", { limit: 5000 });
              names.replaceChildren(...envelope.data.map((name) => el("option", { value: name })));
            } catch { /* The page is as good without suggestions. */ }
          }

          addEventListener("popstate", () => location.reload());
          hearth.main().replaceChildren(
            el("div", { class: "card" }, expression, el("div", { class: "row" }, execute, format, picker, names)),
            el("div", { class: "card" }, tabs, el("p", {}, controls), output));
          showTabs();
          loadNames();
          if (expression.value) run(); else expression.focus();
        })();

        """#
}
