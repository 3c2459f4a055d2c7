import Glibc
import OwnThreads
import Synchronization

/// Tells when something changes in a directory, by the system's inotify. One thread waits for all; it starts with the
/// first directory that is watched.
package final class FileWatcher: Sendable {
    /// One watcher's interest in some directories.
    package final class Watch: Sendable {
        private let owner: FileWatcher
        private let identifier: Int

        fileprivate init(owner: FileWatcher, identifier: Int) {
            self.owner = owner
            self.identifier = identifier
        }

        /// - Returns: false where the system does not watch one of them: it is not there, or limits are reached. The
        ///   others are watched all the same.
        func setDirectories(_ directories: Set<String>) -> Bool { owner.setDirectories(directories, of: identifier) }

        func cancel() { owner.remove(identifier) }
    }

    private struct State {
        var inotify: Int32 = -1
        /// The writing end of a pipe; closed when the thread shall end.
        var wake: Int32 = -1
        var isStopped = false
        var nextIdentifier = 0
        var callbacks: [Int: @Sendable () -> Void] = [:]
        var directories: [Int: Set<String>] = [:]
        var descriptors: [String: Int32] = [:]
    }

    /// What happens when a file has been written, or has come or gone by a new name. Not each write: a half-written file
    /// is of no use.
    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

    private let state = Mutex(State())

    package init() {}

    deinit { stop() }

    /// - Parameter callback: runs on the watcher's thread, whenever anything happens in the directories.
    package func watch(_ callback: @escaping @Sendable () -> Void) -> Watch {
        state.withLock { state in
            state.nextIdentifier += 1
            state.callbacks[state.nextIdentifier] = callback
            return Watch(owner: self, identifier: state.nextIdentifier)
        }
    }

    /// Ends the thread; nothing is told any more.
    package func stop() {
        state.withLock { state in
            state.isStopped = true
            state.callbacks = [:]
            if state.wake >= 0 {
                close(state.wake)
                state.wake = -1
                state.inotify = -1
            }
        }
    }

    private func remove(_ identifier: Int) {
        state.withLock { state in
            state.callbacks[identifier] = nil
            state.directories[identifier] = nil
            FileWatcher.release(&state)
        }
    }

    /// Asks the system without holding the lock: the file system of a directory may hang, and must hold up neither other
    /// watchers nor the end. So a descriptor of its own is asked, which the end does not close.
    private func setDirectories(_ directories: Set<String>, of identifier: Int) -> Bool {
        let inotify = state.withLock { state -> Int32 in
            guard state.callbacks[identifier] != nil, FileWatcher.start(self, &state) else { return -1 }
            // Before the system is asked, so that nobody else ends what is about to be found.
            state.directories[identifier] = directories
            return fcntl(state.inotify, F_DUPFD_CLOEXEC, 0)
        }
        guard inotify >= 0 else { return false }
        defer { close(inotify) }
        // Asked for again each time: it may be another directory of the same name by now.
        let found = directories.map { ($0, inotify_add_watch(inotify, $0, FileWatcher.mask)) }
        state.withLock { state in
            for (directory, descriptor) in found { state.descriptors[directory] = descriptor < 0 ? nil : descriptor }
            FileWatcher.release(&state)
        }
        return found.allSatisfy { $0.1 >= 0 }
    }

    /// Ends the system's watches that nobody needs.
    private static func release(_ state: inout State) {
        let wanted = state.directories.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        for (directory, descriptor) in state.descriptors where !wanted.contains(directory) {
            state.descriptors[directory] = nil
            // Two names may be one directory.
            if !state.descriptors.values.contains(descriptor) { inotify_rm_watch(state.inotify, descriptor) }
        }
    }

    private static func start(_ watcher: FileWatcher, _ state: inout State) -> Bool {
        if state.inotify >= 0 { return true }
        guard !state.isStopped else { return false }
        let inotify = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard inotify >= 0 else { return false }
        var wake: [Int32] = [-1, -1]
        guard pipe(&wake) == 0 else {
            close(inotify)
            return false
        }
        for end in wake { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (wakeEnd, ownEnd) = (wake[0], wake[1])
        do throws(SystemThread.Failure) {
            // The thread must not keep the watcher alive: the watcher's end ends it.
            try SystemThread.start("file watcher") { [weak watcher] in
                FileWatcher.wait(inotify: inotify, wake: wakeEnd) { watcher?.callbacks ?? [] }
            }
        } catch {
            close(inotify)
            close(wakeEnd)
            close(ownEnd)
            return false
        }
        state.inotify = inotify
        state.wake = ownEnd
        return true
    }

    private var callbacks: [@Sendable () -> Void] { state.withLock { Array($0.callbacks.values) } }

    /// The thread: waits for events and tells everybody, who then looks for himself. It owns the descriptors given.
    private static func wait(inotify: Int32, wake: Int32, _ callbacks: () -> [@Sendable () -> Void]) {
        defer {
            close(inotify)
            close(wake)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            var waiting = [
                pollfd(fd: inotify, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&waiting, 2, -1)
            if ready < 0, errno != EINTR { return }
            if waiting[1].revents != 0 { return }
            var hasEvents = false
            while read(inotify, buffer.baseAddress, buffer.count) > 0 { hasEvents = true }
            if hasEvents { for callback in callbacks() { callback() } }
        }
    }
}
