enum RulesScript {
    static let text = #"""
        "use strict";
        (() => {
          const { el } = hearth;

          function rule(item) {
            const kind = item.type === "alerting" ? "alert" : "record";
            const extra = item.duration ? " for " + hearth.duration(item.duration) : "";
            return el("tr", {},
              el("td", { class: "break" }, el("div", {}, el("span", { class: "soft" }, kind + " "), el("strong", {}, item.name), el("span", { class: "soft" }, extra)),
                hearth.queryLink(item.query), el("div", {}, hearth.chips(item.labels)),
                item.lastError ? hearth.notice("error", item.lastError) : ""),
              el("td", { class: "narrow" }, hearth.state(item.health)),
              el("td", { class: "narrow" }, hearth.ago(item.lastEvaluation)),
              el("td", { class: "narrow" }, hearth.duration(item.evaluationTime)));
          }

          function group(item) {
            return el("div", { class: "card" },
              el("div", { class: "row" }, el("strong", {}, item.name), el("span", { class: "soft break" }, item.file),
                el("span", { class: "soft end" }, "every " + hearth.duration(item.interval) + " · last run " + hearth.ago(item.lastEvaluation) +
                  " · took " + hearth.duration(item.evaluationTime))),
              el("div", { class: "scroll" }, el("table", {},
                el("thead", {}, el("tr", {}, ["Rule", "Health", "Last run", "Took"].map((text) => el("th", {}, text)))),
                el("tbody", {}, item.rules.map(rule)))));
          }

          hearth.refresh(async () => {
            const groups = (await hearth.api("rules")).data.groups;
            hearth.main().replaceChildren(...(groups.length ? groups.map(group) : [hearth.notice("info", "No rules are configured.")]));
          });
        })();

        """#
}
