package import HTTPAPI
import HTTPTypes

/// The pages for people: each is a frame of HTML with a script of its own that asks the API, so that a page shows
/// exactly what clients get. Everything is inside the binary and works without any other host.
package struct WebPages: Sendable {
    private let services: APIServices

    package init(_ services: APIServices) {
        self.services = services
    }

    /// The pages, in the order of the menu.
    static let pages = [
        Page(name: "query", title: "Query", scripts: ["graph.js", "query.js"]),
        Page(name: "alerts", title: "Alerts", scripts: ["alerts.js"]),
        Page(name: "rules", title: "Rules", scripts: ["rules.js"]),
        Page(name: "targets", title: "Targets", scripts: ["targets.js"]),
        Page(name: "status", title: "Status", scripts: ["status.js"]),
    ]

    package var all: [Route] {
        let pages = WebPages.pages.map { page in
            Route([.get], "/" + page.name, isAlwaysAvailable: true) { [title = services.options.pageTitle] _ in
                WebPages.response("text/html; charset=utf-8", page.html(siteTitle: title))
            }
        }
        let assets = Asset.all.map { asset in
            Route([.get], "/assets/" + asset.name, isAlwaysAvailable: true) { _ in
                WebPages.response(asset.contentType, asset.text)
            }
        }
        return pages + assets
    }

    /// Nothing from elsewhere, and no script or style that stands in the page itself: a name or value that found its
    /// way into a page as markup could still do nothing.
    private static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

    private static func response(_ contentType: String, _ text: String) -> APIResponse {
        var response = APIResponse(contentType: contentType, body: .bytes(Array(text.utf8)))
        response.headers[.contentSecurityPolicy] = contentSecurityPolicy
        // The texts change with the binary only, but nothing in their names says so.
        response.headers[.cacheControl] = "no-cache"
        return response
    }
}

/// A file that pages load.
struct Asset: Sendable {
    var name: String
    var contentType: String
    var text: String

    static let all = [
        Asset(name: "hearth.css", contentType: "text/css; charset=utf-8", text: StyleSheet.text),
        Asset(name: "icon.svg", contentType: "image/svg+xml", text: Icon.text),
        script("common.js", CommonScript.text),
        script("graph.js", GraphScript.text),
        script("query.js", QueryScript.text),
        script("alerts.js", AlertsScript.text),
        script("rules.js", RulesScript.text),
        script("targets.js", TargetsScript.text),
        script("status.js", StatusScript.text),
    ]

    private static func script(_ name: String, _ text: String) -> Asset {
        Asset(name: name, contentType: "text/javascript; charset=utf-8", text: text)
    }
}
