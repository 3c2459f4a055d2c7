enum StatusScript {
    static let text = #"""
        "use strict";
        (() => {
          const { el } = hearth;
          const titles = {
            startTime: "Started", CWD: "Working directory", hostname: "Host", serverTime: "Server time",
            reloadConfigSuccess: "Last reload", lastConfigTime: "Configuration of", corruptionCount: "Damage found",
            goroutineCount: "Threads", GOMAXPROCS: "Processors", storageRetention: "Retention",
            version: "Compatible with Prometheus", hearthVersion: "Hearth", revision: "Revision", branch: "Branch",
            buildUser: "Built by", buildDate: "Built at", goVersion: "Built with",
            numSeries: "Series in the head", numLabelPairs: "Label pairs", chunkCount: "Chunks",
            minTime: "Oldest sample", maxTime: "Newest sample",
          };

          function list(values) {
            return el("dl", {}, Object.entries(values).filter(([name, value]) => titles[name] && value !== "")
              .map(([name, value]) => [el("dt", {}, titles[name]), el("dd", {}, shown(name, value))]));
          }
          function shown(name, value) {
            if (name === "reloadConfigSuccess") return value ? "successful" : "failed";
            if (name === "minTime" || name === "maxTime") {
              return Math.abs(value) > 8e15 ? "none" : hearth.time(value / 1000);
            }
            if (/^\d{4}-\d\d-\d\dT/.test(String(value))) {
              return hearth.never(value) ? "never" : hearth.time(Date.parse(value) / 1000);
            }
            return String(value);
          }
          function card(title, ...children) {
            return el("section", { class: "card" }, el("h2", {}, title), ...children);
          }

          function counts(title, rows) {
            const lines = rows.map((row) => el("tr", {},
              el("td", { class: "mono break" }, row.name), el("td", { class: "number" }, row.value.toLocaleString())));
            return el("div", { class: "grow" }, el("h2", {}, title), el("table", {}, el("tbody", {}, lines)));
          }

          function flags(values) {
            const body = el("tbody", {});
            const show = (wanted) => {
              const shown = Object.entries(values).filter(([name]) => name.includes(wanted));
              body.replaceChildren(...shown.map(([name, value]) =>
                el("tr", {}, el("td", { class: "mono" }, name), el("td", { class: "mono break" }, value))));
            };
            show("");
            const filter = el("input", {
              type: "search", placeholder: "Filter flags", "aria-label": "Filter flags",
              oninput: (event) => show(event.target.value),
            });
            return [filter,
              el("div", { class: "scroll" }, el("table", {}, body))];
          }

          async function load() {
            const paths = ["status/runtimeinfo", "status/buildinfo", "status/tsdb", "status/flags", "status/config",
              "alertmanagers"];
            const [runtime, build, storage, flagValues, config, managers] =
              await Promise.all(paths.map(async (path) => (await hearth.api(path)).data));
            const urls = managers.activeAlertmanagers.map((manager) => manager.url);
            hearth.main().replaceChildren(
              card("Server", list(runtime)),
              card("Build", list(build)),
              card("Alertmanagers", urls.length
                ? el("ul", {}, urls.map((url) => el("li", { class: "mono break" }, url)))
                : el("p", { class: "soft" }, "none")),
              card("Storage", list(storage.headStats), el("div", { class: "row" },
                counts("Series by metric", storage.seriesCountByMetricName),
                counts("Values by label", storage.labelValueCountByLabelName))),
              card("Flags", flags(flagValues)),
              card("Configuration", el("pre", {}, config.yaml)));
          }

          load().catch((error) => hearth.main().replaceChildren(hearth.notice("error", error.message)));
        })();

        """#
}
