enum GraphScript {
    /// A line graph in SVG: gaps where there is no sample, a cursor with values, a legend that shows and hides.
    static let text = #"""
        "use strict";
        hearth.graph = (() => {
          const { el, svg } = hearth;
          const size = { width: 1200, height: 380, left: 74, right: 12, top: 12, bottom: 26 };
          const linesMax = 100;
          const colour = (index) => "hsl(" + ((index * 137.508 + 18) % 360).toFixed(1) + " 62% 50%)";

          function axisStep(span, count) {
            const raw = span / count;
            const power = Math.pow(10, Math.floor(Math.log10(raw)));
            return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= raw) || raw;
          }

          const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
            86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];

          function number(value) {
            const size = Math.abs(value);
            if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(2);
            for (const [unit, scale] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
              if (size >= scale * 10) return Number((value / scale).toPrecision(4)) + unit;
            }
            return String(Number(value.toPrecision(5)));
          }

          function clock(seconds, span) {
            const text = hearth.time(seconds);
            if (span > 2 * 86400) return text.slice(5, 16);
            return span > 600 ? text.slice(11, 16) : text.slice(11);
          }

          /** Finite points of a series; a gap begins where more than one and a half steps are without a sample. */
          function points(series) {
            return (series.values || []).map(([time, value]) => [time, Number(value)])
              .filter(([, value]) => Number.isFinite(value));
          }

          function path(points, step, x, y) {
            let text = "";
            let last = -Infinity;
            for (const [time, value] of points) {
              text += (time - last > step * 1.5 ? "M" : "L") + x(time).toFixed(1) + " " + y(value).toFixed(1);
              if (time - last > step * 1.5) text += "h0.01";
              last = time;
            }
            return text;
          }

          function bounds(lines) {
            let low = Infinity;
            let high = -Infinity;
            for (const line of lines) {
              for (const [, value] of line.points) {
                if (value < low) low = value;
                if (value > high) high = value;
              }
            }
            if (low > high) return [0, 1];
            if (low === high) return low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
            if (low > 0 && low < (high - low)) low = 0;
            const margin = (high - low) * 0.05;
            return [low === 0 ? 0 : low - margin, high + margin];
          }

          const gridline = (x1, x2, y1, y2) => svg("line", { class: "gridline", x1, x2, y1, y2 });
          const tick = (x, y, anchor, text) => svg("text", { class: "tick", x, y, "text-anchor": anchor }, text);

          function axes(low, high, start, end, x, y) {
            const group = svg("g", {});
            const valueStep = axisStep(high - low, 5);
            for (let value = Math.ceil(low / valueStep) * valueStep; value <= high; value += valueStep) {
              const rounded = Math.abs(value) < valueStep / 1e6 ? 0 : value;
              group.append(
                gridline(size.left, size.width - size.right, y(value), y(value)),
                tick(size.left - 6, y(value) + 4, "end", number(rounded)));
            }
            const span = Math.max(end - start, 1);
            const timeStep = timeSteps.find((step) => step >= span / 9) || span / 9;
            const zone = new Date(start * 1000).getTimezoneOffset() * 60;
            for (let time = Math.ceil((start - zone) / timeStep) * timeStep + zone; time <= end; time += timeStep) {
              group.append(
                gridline(x(time), x(time), size.top, size.height - size.bottom),
                tick(x(time), size.height - 8, "middle", clock(time, span)));
            }
            return group;
          }

          /** @returns an element that shows the matrix between two Unix times. */
          return function graph(matrix, start, end, step) {
            const shown = matrix.slice(0, linesMax).map((series, index) => ({
              text: hearth.series(series.metric), points: points(series), colour: colour(index), isVisible: true,
            }));
            const frame = el("div", { class: "graph" });
            const legend = el("div", { class: "legend" });
            const box = el("div", {}, frame, legend);
            if (matrix.length > linesMax) {
              const text = "Only the first " + linesMax + " of " + matrix.length + " series are drawn.";
              box.prepend(hearth.notice("warning", text));
            }

            function toggle(line, event) {
              const isAlone = shown.every((other) => other.isVisible === (other === line));
              if (event.ctrlKey || event.metaKey) line.isVisible = !line.isVisible;
              else shown.forEach((other) => { other.isVisible = isAlone || other === line; });
              draw();
            }

            function draw() {
              const visible = shown.filter((line) => line.isVisible);
              const [low, high] = bounds(visible);
              const width = size.width - size.left - size.right;
              const height = size.height - size.top - size.bottom;
              const x = (time) => size.left + (time - start) / Math.max(end - start, 1e-3) * width;
              const y = (value) => size.top + (high - value) / (high - low) * height;
              const cursor = svg("line",
                { class: "cursor", y1: size.top, y2: size.height - size.bottom, visibility: "hidden" });
              const canvas = svg("svg",
                {
                  viewBox: "0 0 " + size.width + " " + size.height, role: "img",
                  "aria-label": "Graph of " + matrix.length + " series",
                },
                axes(low, high, start, end, x, y),
                visible.map((line) =>
                  svg("path", { class: "line", stroke: line.colour, d: path(line.points, step, x, y) })),
                cursor);
              const tip = el("div", { class: "tip", hidden: true });
              canvas.addEventListener("mousemove", (event) => {
                const area = canvas.getBoundingClientRect();
                const position = (event.clientX - area.left) / area.width * size.width;
                const pointed = start + (position - size.left) / width * (end - start);
                const time = start + Math.round((pointed - start) / step) * step;
                showTip(tip, visible, time, step);
                cursor.setAttribute("x1", x(time));
                cursor.setAttribute("x2", x(time));
                cursor.setAttribute("visibility", time >= start && time <= end ? "visible" : "hidden");
                tip.style.left = position < size.width / 2 ? "auto" : "5rem";
                tip.style.right = position < size.width / 2 ? "1rem" : "auto";
              });
              canvas.addEventListener("mouseleave", () => {
                tip.hidden = true;
                cursor.setAttribute("visibility", "hidden");
              });
              frame.replaceChildren(canvas, tip);
              legend.replaceChildren(...shown.map((line) => {
                const swatch = el("span", { class: "swatch" });
                swatch.style.background = line.colour;
                return el("button",
                  { type: "button", "aria-pressed": String(line.isVisible), onclick: (event) => toggle(line, event) },
                  swatch, el("span", {}, line.text));
              }));
            }

            function showTip(tip, lines, time, step) {
              const rows = lines.map((line) => {
                const point = line.points.find(([at]) => Math.abs(at - time) < step / 2);
                return point ? { line, value: point[1] } : null;
              }).filter(Boolean).sort((a, b) => b.value - a.value);
              tip.hidden = rows.length === 0;
              tip.replaceChildren(el("div", { class: "soft" }, hearth.time(time)), ...rows.slice(0, 8).map((row) => {
                const text = el("div", { class: "mono" }, number(row.value) + "  " + row.line.text);
                text.style.color = row.line.colour;
                return text;
              }), rows.length > 8 ? el("div", { class: "soft" }, "and " + (rows.length - 8) + " more") : "");
            }

            draw();
            return box;
          };
        })();

        """#
}
