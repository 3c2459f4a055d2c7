enum TargetsScript {
    static let text = #"""
        "use strict";
        (() => {
          const { el } = hearth;
          const page = { health: hearth.parameter("health", ""), text: hearth.parameter("search", ""), data: null };
          const search = el("input", {
            class: "grow", type: "search", placeholder: "Filter by address or label", "aria-label": "Filter",
            value: page.text,
            oninput: () => { page.text = search.value; hearth.setParameter("search", page.text); show(); },
          });
          const healths = el("div", { class: "row" });
          const list = el("div", {});

          function isShown(target) {
            if (page.health && target.health !== page.health) return false;
            const wanted = page.text.toLowerCase();
            return !wanted || (target.scrapeUrl + " " + hearth.series(target.labels)).toLowerCase().includes(wanted);
          }

          /** Only web addresses become links: a target's URL is text from elsewhere. */
          function endpoint(target) {
            const text = target.scrapeUrl;
            return /^https?:\/\//.test(target.globalUrl)
              ? el("a", { href: target.globalUrl, rel: "noreferrer" }, text) : el("span", {}, text);
          }

          function row(target) {
            return el("tr", {},
              el("td", { class: "break" }, endpoint(target),
                target.lastError ? hearth.notice("error", target.lastError) : ""),
              el("td", { class: "narrow" }, hearth.state(target.health)),
              el("td", {}, hearth.chips(target.labels), hearth.details(target.scrapePool + target.scrapeUrl, {},
                el("span", { class: "soft" }, "discovered labels"), hearth.chips(target.discoveredLabels))),
              el("td", { class: "narrow" }, hearth.ago(target.lastScrape)),
              el("td", { class: "narrow" },
                hearth.never(target.lastScrape) ? "" : hearth.duration(target.lastScrapeDuration)),
              el("td", { class: "narrow soft" }, "every " + target.scrapeInterval));
          }

          function pool(name, targets) {
            const up = targets.filter((target) => target.health === "up").length;
            const shown = targets.filter(isShown);
            if (shown.length === 0) return null;
            const state = up === targets.length ? "up" : "down";
            const count = up + " / " + targets.length + " up";
            return el("div", { class: "card" },
              el("div", { class: "row" }, el("strong", {}, name), el("span", { class: "state " + state }, count)),
              el("div", { class: "scroll" }, el("table", {},
                hearth.head("Endpoint", "State", "Labels", "Last scrape", "Duration", "Interval"),
                el("tbody", {}, shown.map(row)))));
          }

          function show() {
            const targets = page.data.activeTargets;
            healths.replaceChildren(...["", "up", "down", "unknown"].map((health) => {
              const count = health ? targets.filter((target) => target.health === health).length : targets.length;
              return hearth.choice((health || "all") + " " + count, page.health === health, () => {
                page.health = health;
                hearth.setParameter("health", health);
                show();
              });
            }));
            const pools = new Map();
            for (const target of targets) {
              if (!pools.has(target.scrapePool)) pools.set(target.scrapePool, []);
              pools.get(target.scrapePool).push(target);
            }
            const cards = [...pools].map(([name, members]) => pool(name, members)).filter(Boolean);
            const dropped = Object.entries(page.data.droppedTargetCounts).filter(([, count]) => count > 0)
              .map(([name, count]) => name + ": " + count);
            const none = targets.length ? "No target fits the filter." : "No targets are configured.";
            list.replaceChildren(
              ...(cards.length ? cards : [hearth.notice("info", none)]),
              dropped.length ? el("p", { class: "soft" }, "Dropped by relabelling: " + dropped.join(", ")) : "");
          }

          hearth.refresh(async () => {
            page.data = (await hearth.api("targets")).data;
            if (!list.isConnected) {
              hearth.main().replaceChildren(el("div", { class: "card row" }, healths, search), list);
            }
            show();
          });
        })();

        """#
}
