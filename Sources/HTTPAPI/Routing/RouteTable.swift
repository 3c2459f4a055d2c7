/// Finds the route for a path. Fixed paths win over patterns.
package struct RouteTable: Sendable {
    package let routes: [Route]
    private var fixed: [String: Int] = [:]
    private var patterns: [(segments: [Substring], index: Int)] = []

    /// - Precondition: no pattern occurs twice.
    package init(_ routes: [Route]) {
        self.routes = routes
        for (index, route) in routes.enumerated() {
            if route.pattern.contains(":") {
                patterns.append((RouteTable.segments(route.pattern), index))
            } else {
                precondition(fixed[route.pattern] == nil, "route \(route.pattern) is listed twice")
                fixed[route.pattern] = index
            }
        }
    }

    package struct Match: Sendable {
        package var route: Route
        package var index: Int
        /// Still percent-encoded.
        package var parameters: [String: Substring]
    }

    /// - Parameter path: still percent-encoded, so that a `%2F` does not part segments.
    package func match(_ path: String) -> Match? {
        if let index = fixed[path] { return Match(route: routes[index], index: index, parameters: [:]) }
        let segments = RouteTable.segments(path)
        for (pattern, index) in patterns where pattern.count == segments.count {
            var parameters: [String: Substring] = [:]
            let matches = zip(pattern, segments).allSatisfy { expected, found in
                guard expected.hasPrefix(":") else { return expected == found }
                parameters[String(expected.dropFirst())] = found
                return !found.isEmpty
            }
            if matches { return Match(route: routes[index], index: index, parameters: parameters) }
        }
        return nil
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false)
    }
}
