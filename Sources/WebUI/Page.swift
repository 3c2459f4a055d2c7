/// The frame of a page: head, menu, and the scripts that fill it. Links are relative, so that it does not matter under
/// which prefix, or behind which proxy, the page is reached.
struct Page: Sendable {
    var name: String
    var title: String
    var scripts: [String]

    func html(siteTitle: String) -> String {
        let menu = WebPages.pages.map { page in
            let current = page.name == name ? " aria-current=\"page\"" : ""
            return "<a href=\"\(page.name)\"\(current)>\(HTMLText.escape(page.title))</a>"
        }.joined(separator: "\n")
        let scripts = (["common.js"] + self.scripts).map { "<script src=\"assets/\($0)\" defer></script>" }
            .joined(separator: "\n")
        let site = HTMLText.escape(siteTitle)
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(HTMLText.escape(title)) · \(site)</title>
            <link rel="icon" href="assets/icon.svg">
            <link rel="stylesheet" href="assets/hearth.css">
            \(scripts)
            </head>
            <body>
            <header>
            <a class="brand" href="query">\(site)</a>
            <nav aria-label="Pages">
            \(menu)
            </nav>
            </header>
            <main id="main" aria-live="polite">
            <noscript><p class="notice error">These pages need JavaScript. The API works without:
            <code>api/v1/query?query=up</code></p></noscript>
            </main>
            </body>
            </html>

            """
    }
}

enum HTMLText {
    static func escape(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
