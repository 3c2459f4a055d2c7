enum RulesScript {
    static let text = #"""
        "use strict";
        (() => {
          const { el } = hearth;

          const soft = (text) => el("span", { class: "soft" }, text);

          function rule(item) {
            const kind = item.type === "alerting" ? "alert" : "record";
            const extra = item.duration ? " for " + hearth.duration(item.duration) : "";
            return el("tr", {},
              el("td", { class: "break" },
                el("div", {}, soft(kind + " "), el("strong", {}, item.name), soft(extra)),
                hearth.queryLink(item.query), el("div", {}, hearth.chips(item.labels)),
                item.lastError ? hearth.notice("error", item.lastError) : ""),
              el("td", { class: "narrow" }, hearth.state(item.health)),
              el("td", { class: "narrow" }, hearth.ago(item.lastEvaluation)),
              el("td", { class: "narrow" }, hearth.duration(item.evaluationTime)));
          }

          function group(item) {
            const facts = "every " + hearth.duration(item.interval) + " · last run " +
              hearth.ago(item.lastEvaluation) + " · took " + hearth.duration(item.evaluationTime);
            return el("div", { class: "card" },
              el("div", { class: "row" }, el("strong", {}, item.name), el("span", { class: "soft break" }, item.file),
                el("span", { class: "soft end" }, facts)),
              el("div", { class: "scroll" }, el("table", {},
                hearth.head("Rule", "Health", "Last run", "Took"),
                el("tbody", {}, item.rules.map(rule)))));
          }

          hearth.refresh(async () => {
            const groups = (await hearth.api("rules")).data.groups;
            const none = hearth.notice("info", "No rules are configured.");
            hearth.main().replaceChildren(...(groups.length ? groups.map(group) : [none]));
          });
        })();

        """#
}
