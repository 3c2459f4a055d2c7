enum CommonScript {
    /// What all pages use. Texts reach the page as text nodes and attributes only, never as markup.
    static let text = #"""
        "use strict";
        const hearth = {
          /** An element: attributes by name, `on…` for listeners; children are elements or texts. */
          el(tag, attributes, ...children) {
            const node = document.createElement(tag);
            hearth.fill(node, attributes, children);
            return node;
          },
          svg(tag, attributes, ...children) {
            const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
            hearth.fill(node, attributes, children);
            return node;
          },
          fill(node, attributes, children) {
            for (const [name, value] of Object.entries(attributes || {})) {
              if (value === null || value === undefined || value === false) continue;
              if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
              else if (name === "value") node.value = value;
              else node.setAttribute(name, value === true ? "" : value);
            }
            node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
          },
          main() { return document.getElementById("main"); },

          /** Asks the API. Resolves to the whole envelope; rejects with an Error that says what the server said. */
          async api(path, parameters, options) {
            const form = new URLSearchParams(parameters || {});
            const post = options && options.post;
            const query = !post && form.size ? "?" + form : "";
            let response;
            try {
              response = await fetch("api/v1/" + path + query, {
                method: post ? "POST" : "GET", body: post ? form : undefined, signal: options && options.signal,
              });
            } catch (error) {
              if (error.name === "AbortError") throw error;
              throw new Error("The server cannot be reached.");
            }
            const text = await response.text();
            let envelope;
            try {
              envelope = JSON.parse(text);
            } catch {
              throw new Error(response.status === 503 ? "The server is not ready yet." : text || response.statusText);
            }
            if (envelope.status !== "success") throw new Error(envelope.errorType + ": " + envelope.error);
            return envelope;
          },

          /** The head of a table. */
          head(...titles) {
            return hearth.el("thead", {}, hearth.el("tr", {}, titles.map((title) => hearth.el("th", {}, title))));
          },
          notice(kind, text) { return hearth.el("p", { class: "notice " + kind, role: "status" }, text); },
          state(name) { return hearth.el("span", { class: "state " + name }, name); },

          quote(text) { return JSON.stringify(text); },
          name(text) { return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text) ? text : hearth.quote(text); },
          /** `up{job="api"}` */
          series(labels) {
            const rest = Object.entries(labels).filter(([name]) => name !== "__name__");
            const pairs = rest.map(([name, value]) => hearth.name(name) + "=" + hearth.quote(value));
            const metric = labels.__name__ || "";
            const isPlain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric);
            if (metric && !isPlain) pairs.unshift(hearth.quote(metric));
            return (isPlain ? metric : "") + (pairs.length || !isPlain ? "{" + pairs.join(", ") + "}" : "");
          },
          chips(labels, hidden) {
            return Object.entries(labels).filter(([name]) => name !== hidden).map(([name, value]) =>
              hearth.el("span", { class: "chip" }, hearth.name(name) + "=" + hearth.quote(value)));
          },
          queryLink(expression, text, tab) {
            const form = new URLSearchParams({ "g0.expr": expression, "g0.tab": tab || "table" });
            return hearth.el("a", { href: "query?" + form, class: "mono break" }, text || expression);
          },

          never(time) { return !time || time.startsWith("0001-"); },
          /** Local date and time of a Unix time in seconds. */
          time(seconds) {
            const date = new Date(seconds * 1000);
            const two = (number) => String(number).padStart(2, "0");
            return date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate()) + " " +
              two(date.getHours()) + ":" + two(date.getMinutes()) + ":" + two(date.getSeconds());
          },
          ago(time) {
            if (hearth.never(time)) return "never";
            const seconds = (Date.now() - Date.parse(time)) / 1000;
            if (Math.abs(seconds) < 1) return "just now";
            return hearth.duration(Math.abs(seconds)) + (seconds < 0 ? " ahead" : " ago");
          },
          /** Seconds as people read them: `1m 5s`, `12.3ms`. */
          duration(seconds) {
            if (seconds === 0) return "0s";
            if (seconds < 1) return (seconds * 1000).toPrecision(3).replace(/\.?0+$/, "") + "ms";
            let rest = Math.round(seconds);
            const parts = [];
            for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
              const count = Math.floor(rest / size);
              if (count) parts.push(count + unit);
              rest -= count * size;
            }
            return parts.slice(0, 2).join(" ");
          },

          /** Which `<details>` are open, so that a refresh leaves them as they are. */
          opened: new Set(),
          details(key, attributes, summary, ...children) {
            const node = hearth.el("details", attributes, hearth.el("summary", {}, summary), ...children);
            node.open = hearth.opened.has(key);
            node.addEventListener("toggle", () => node.open ? hearth.opened.add(key) : hearth.opened.delete(key));
            return node;
          },
          /** A button of a group of which one is pressed. */
          choice(text, isChosen, choose) {
            return hearth.el("button", { type: "button", "aria-pressed": String(isChosen), onclick: choose }, text);
          },

          /** Loads and shows now and every 10 s while the page is visible. */
          refresh(load) {
            const run = async () => {
              if (document.hidden) return;
              try {
                await load();
              } catch (error) {
                hearth.main().replaceChildren(hearth.notice("error", error.message));
              }
            };
            run();
            setInterval(run, 10000);
            document.addEventListener("visibilitychange", run);
          },
          /** A setting of the page that stands in its URL. */
          parameter(name, fallback) { return new URLSearchParams(location.search).get(name) || fallback; },
          setParameter(name, value) {
            const form = new URLSearchParams(location.search);
            if (value) form.set(name, value); else form.delete(name);
            history.replaceState(null, "", form.size ? "?" + form : location.pathname);
          },
        };

        """#
}
