extension String {
    /// The beginning, at most so many bytes and whole characters: what a message shows of a text from outside.
    package func prefixBytes(_ bytesMax: Int) -> String {
        guard utf8.count > bytesMax else { return self }
        var out = ""
        for scalar in unicodeScalars {
            guard out.utf8.count + UTF8.width(scalar) <= bytesMax else { break }
            out.unicodeScalars.append(scalar)
        }
        return out
    }
}
