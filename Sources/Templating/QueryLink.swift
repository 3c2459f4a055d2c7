/// Addresses of an expression on the query page, below the server's external URL.
package enum QueryLink {
    package static func graph(_ query: String) -> String { link(query, tab: 0) }

    package static func table(_ query: String) -> String { link(query, tab: 1) }

    private static func link(_ query: String, tab: Int) -> String {
        "/graph?g0.expr=" + GoEscape.query(query) + "&g0.tab=\(tab)"
    }
}
