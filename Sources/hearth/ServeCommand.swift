import Server

/// `hearth`: the server itself.
enum ServeCommand {
    /// - Returns: the exit status: 0 after a clean stop, 1 where it cannot start, 2 for a bad command line.
    static func run(_ arguments: [String]) async -> Int32 {
        let flags: FlagValues
        do throws(FlagValues.UsageError) {
            flags = try FlagValues(arguments)
        } catch {
            printError("Error parsing command line arguments: \(error)\nhearth: error: \(error), try --help")
            return 2
        }
        if flags.wantsHelp {
            print(FlagTable.help, terminator: "")
            return 0
        }
        if flags.wantsVersion {
            print(ServerVersion.text)
            return 0
        }
        return await ServerProcess.run(flags)
    }
}
