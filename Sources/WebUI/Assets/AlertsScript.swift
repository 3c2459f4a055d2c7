enum AlertsScript {
    static let text = #"""
        "use strict";
        (() => {
          const { el } = hearth;
          const states = ["firing", "pending", "inactive"];
          const hiddenStates = hearth.parameter("hide", "").split(",").filter(Boolean);
          const page = { hidden: new Set(hiddenStates), text: hearth.parameter("search", ""), groups: [] };
          const search = el("input", {
            class: "grow", type: "search", placeholder: "Filter by name or label", "aria-label": "Filter",
            value: page.text,
            oninput: () => { page.text = search.value; hearth.setParameter("search", page.text); show(); },
          });
          const buttons = el("div", { class: "row" });
          const list = el("div", {});

          function isShown(rule) {
            if (page.hidden.has(rule.state)) return false;
            const wanted = page.text.toLowerCase();
            const alerts = rule.alerts.map((alert) => hearth.series(alert.labels));
            const texts = [rule.name, hearth.series(rule.labels), ...alerts];
            return !wanted || texts.some((text) => text.toLowerCase().includes(wanted));
          }

          function annotations(values) {
            const entries = Object.entries(values);
            if (entries.length === 0) return "";
            return el("dl", {}, entries.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
          }

          function alertRow(alert) {
            return el("tr", {},
              el("td", {}, hearth.chips(alert.labels, "alertname"), annotations(alert.annotations)),
              el("td", { class: "narrow" }, hearth.state(alert.state)),
              el("td", { class: "narrow", title: alert.activeAt }, hearth.ago(alert.activeAt)),
              el("td", { class: "number" }, String(Number(alert.value))));
          }

          function rule(group, item) {
            const summary = [hearth.state(item.state), el("strong", {}, item.name),
              item.alerts.length ? el("span", { class: "soft" }, item.alerts.length + " active") : "",
              item.health === "err" ? hearth.state("err") : ""];
            const hold = item.duration ? el("span", { class: "soft" }, "  for " + hearth.duration(item.duration)) : "";
            const key = [group.file, group.name, item.name, item.query].join("\n");
            return hearth.details(key, { class: "rule" }, summary,
              el("p", {}, hearth.queryLink(item.query), hold),
              item.lastError ? hearth.notice("error", item.lastError) : "",
              el("p", {}, hearth.chips(item.labels)), annotations(item.annotations),
              item.alerts.length ? el("div", { class: "scroll" }, el("table", {},
                hearth.head("Labels and annotations", "State", "Active since", "Value"),
                el("tbody", {}, item.alerts.map(alertRow)))) : "");
          }

          function show() {
            const rules = page.groups.flatMap((group) => group.rules);
            buttons.replaceChildren(...states.map((state) => {
              const count = rules.filter((item) => item.state === state).length;
              return hearth.choice(state + " " + count, !page.hidden.has(state), () => {
                if (!page.hidden.delete(state)) page.hidden.add(state);
                hearth.setParameter("hide", [...page.hidden].join(","));
                show();
              });
            }));
            const order = (item) => states.indexOf(item.state);
            const cards = page.groups.map((group) => {
              const shown = group.rules.filter(isShown).sort((a, b) => order(a) - order(b));
              if (shown.length === 0) return null;
              return el("div", { class: "card" },
                el("div", { class: "row" }, el("strong", {}, group.name),
                  el("span", { class: "soft break" }, group.file)),
                shown.map((item) => rule(group, item)));
            }).filter(Boolean);
            const none = rules.length ? "No rule fits the filter." : "No alerting rules are configured.";
            list.replaceChildren(...(cards.length ? cards : [hearth.notice("info", none)]));
          }

          hearth.refresh(async () => {
            page.groups = (await hearth.api("rules", { type: "alert" })).data.groups;
            if (!list.isConnected) {
              hearth.main().replaceChildren(el("div", { class: "card row" }, buttons, search), list);
            }
            show();
          });
        })();

        """#
}
