enum StyleSheet {
    static let text = """
        :root {
          --page: #fbfaf8; --card: #fff; --ink: #22252a; --soft: #646b75; --line: #e0ddd7; --accent: #c2410c;
          --good: #2b8a3e; --good-back: #e3f4e6; --bad: #c92a2a; --bad-back: #fdeaea;
          --warn: #a35200; --warn-back: #fdf1dc; --info-back: #e8f1fb;
          --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #17181b; --card: #1f2125; --ink: #e6e4df; --soft: #9aa0a8; --line: #34373d; --accent: #ff8a4c;
            --good: #69db7c; --good-back: #1d3323; --bad: #ff8787; --bad-back: #3a2022;
            --warn: #ffc078; --warn-back: #382b19; --info-back: #1d2b3b;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        header { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: center; padding: .6rem 1.25rem;
          background: var(--card); border-bottom: 1px solid var(--line); }
        .brand { font-weight: 700; font-size: 1.1rem; color: var(--accent); text-decoration: none; }
        nav { display: flex; flex-wrap: wrap; gap: .25rem; }
        nav a { padding: .3rem .7rem; border-radius: 6px; color: var(--ink); text-decoration: none; }
        nav a:hover { background: var(--page); }
        nav a[aria-current] { background: var(--page); color: var(--accent); font-weight: 600; }
        main { max-width: 1280px; margin: 0 auto; padding: 1.25rem; }
        a { color: var(--accent); }
        h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
        code, pre, textarea, .mono { font-family: var(--mono); font-size: .86rem; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem;
          margin-bottom: 1rem; }
        .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
        .grow { flex: 1 1 16rem; }
        .soft { color: var(--soft); }
        .end { margin-left: auto; }
        textarea { width: 100%; min-height: 3.4rem; resize: vertical; padding: .6rem .7rem; font-size: .95rem;
          color: var(--ink); background: var(--page); border: 1px solid var(--line); border-radius: 8px; }
        input, select, button { font: inherit; color: var(--ink); background: var(--page); padding: .35rem .6rem;
          border: 1px solid var(--line); border-radius: 8px; }
        input.short { width: 6.5rem; }
        button { cursor: pointer; }
        button:hover { border-color: var(--accent); }
        button.primary { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; }
        button[aria-pressed="true"], button[aria-selected="true"] { border-color: var(--accent); color: var(--accent);
          font-weight: 600; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
        .notice { margin: .75rem 0; padding: .55rem .8rem; border-radius: 8px; background: var(--info-back);
          overflow-wrap: anywhere; white-space: pre-wrap; }
        .notice.error { background: var(--bad-back); color: var(--bad); }
        .notice.warning { background: var(--warn-back); color: var(--warn); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
        th { color: var(--soft); font-weight: 600; font-size: .85rem; white-space: nowrap; }
        tbody tr:last-child td { border-bottom: 0; }
        td.number { text-align: right; font-family: var(--mono); font-size: .86rem; white-space: nowrap; }
        td.break, .break { overflow-wrap: anywhere; }
        td.narrow { white-space: nowrap; width: 1%; }
        td.lines { white-space: pre-line; }
        .chip { display: inline-block; margin: 0 .25rem .15rem 0; padding: 0 .4rem; border-radius: 5px;
          background: var(--page); border: 1px solid var(--line); font-family: var(--mono); font-size: .78rem;
          overflow-wrap: anywhere; }
        .state { display: inline-block; padding: .05rem .5rem; border-radius: 999px; font-size: .8rem;
          font-weight: 600; background: var(--page); color: var(--soft); border: 1px solid var(--line); }
        .state.up, .state.ok, .state.inactive { background: var(--good-back); color: var(--good);
          border-color: transparent; }
        .state.down, .state.err, .state.firing { background: var(--bad-back); color: var(--bad);
          border-color: transparent; }
        .state.pending { background: var(--warn-back); color: var(--warn); border-color: transparent; }
        details > summary { cursor: pointer; padding: .25rem 0; }
        details.rule { border-top: 1px solid var(--line); padding: .35rem 0; }
        details.rule > summary { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; }
        pre { margin: 0; padding: .75rem; background: var(--page); border: 1px solid var(--line); border-radius: 8px;
          overflow-x: auto; }
        .graph { position: relative; }
        .graph svg { display: block; width: 100%; height: auto; }
        .graph .gridline { stroke: var(--line); stroke-width: 1; }
        .graph .tick { fill: var(--soft); font-size: 11px; font-family: var(--mono); }
        .graph .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
        .graph .cursor { stroke: var(--soft); stroke-dasharray: 3 3; }
        .tip { position: absolute; top: .4rem; max-width: 60%; padding: .4rem .6rem; font-size: .8rem;
          background: var(--card); border: 1px solid var(--line); border-radius: 8px; pointer-events: none;
          box-shadow: 0 2px 8px rgb(0 0 0 / 15%); overflow-wrap: anywhere; }
        .legend { margin-top: .5rem; max-height: 16rem; overflow-y: auto; }
        .legend button { display: flex; gap: .5rem; align-items: baseline; width: 100%; padding: .1rem .4rem;
          text-align: left; border-color: transparent; background: none; font-family: var(--mono); font-size: .82rem;
          overflow-wrap: anywhere; }
        .legend button[aria-pressed="false"] { opacity: .4; }
        .swatch { flex: none; width: .8rem; height: .8rem; border-radius: 3px; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; }
        @media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
        @media print { header nav, button, input, textarea { display: none; } }

        """
}
