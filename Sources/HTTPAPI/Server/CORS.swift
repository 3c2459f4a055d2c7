import HTTPTypes

/// Which pages of other origins may read answers.
enum CORS {
    /// - Parameter isAllowed: nil for any origin.
    static func apply(
        to headers: inout HTTPFields, _ request: HTTPFields, _ isAllowed: (@Sendable (String) -> Bool)?
    ) {
        guard let origin = request[.origin] else { return }
        headers.addVary("Origin")
        headers[.accessControlAllowHeaders] = "Accept, Authorization, Content-Type, Origin"
        headers[.accessControlAllowMethods] = "GET, POST, OPTIONS"
        headers[.accessControlExposeHeaders] = "Date"
        guard let isAllowed else {
            headers[.accessControlAllowOrigin] = "*"
            return
        }
        if isAllowed(origin) { headers[.accessControlAllowOrigin] = origin }
    }
}
