import Logging
import SelfMetrics
import SeriesModel
import StorageAPI

/// One `remote_write` entry at work: a thread that reads the log, shards that send, and now and then another number of
/// shards.
actor WriteQueue {
    nonisolated let context: QueueContext
    nonisolated let board: ShardBoard
    private nonisolated let reader: QueueReader
    private var shards: [Task<Void, Never>] = []
    private var loops: [Task<Void, Never>] = []
    private var rule: ShardCountRule
    private var isStopping = false

    init(_ context: QueueContext, log: any CommitLog) {
        self.context = context
        let queue = context.section.queue
        board = ShardBoard(
            shardCount: queue.shardsMin, rowsMax: min(queue.samplesPerSendMax, queue.capacity), capacity: queue.capacity
        )
        reader = QueueReader(context, log: log, board: board)
        rule = ShardCountRule(shardsMin: queue.shardsMin, shardsMax: queue.shardsMax)
        let metrics = context.metrics
        metrics.shardCapacity.set(Double(queue.capacity))
        metrics.shardsMax.set(Double(queue.shardsMax))
        metrics.shardsMin.set(Double(queue.shardsMin))
        metrics.shardsDesired.set(Double(queue.shardsMin))
        metrics.samplesPerSendMax.set(Double(queue.samplesPerSendMax))
    }

    func start() {
        guard !isStopping else { return }
        startShards(context.section.queue.shardsMin)
        let metadata = MetadataSender(context, provider: context.options.metadata)
        loops = [
            Task { [self] in await flush() },
            Task { [self] in await reshard() },
            Task(executorPreference: context.threads) { await metadata.run() },
        ]
        reader.start()
    }

    private func startShards(_ count: Int) {
        context.metrics.shards.set(Double(count))
        shards = (0..<count).map { shard in
            Task(executorPreference: context.threads) { [context, board] in
                var sender = RowSender(context)
                while var rows = await board.next(shard) {
                    let counts = rows.counts
                    // Its fate is not known: the log keeps it.
                    guard await sender.deliver(&rows) else { return }
                    board.finish(shard, counts, rows)
                }
            }
        }
    }

    // MARK: Loops

    /// Has batches sent that have waited for the deadline.
    private func flush() async {
        let tick = max(1, context.section.queue.batchSendDeadline / Int64(ShardBoard.ticksPerDeadline))
        while !Task.isCancelled {
            do { try await context.clock.sleep(milliseconds: tick) } catch { return }
            board.advanceTick()
        }
    }

    private func reshard() async {
        while !Task.isCancelled {
            do { try await context.clock.sleep(milliseconds: ShardCountRule.interval) } catch { return }
            await reviewShards()
        }
    }

    private func reviewShards() async {
        let observation = context.progress.take(
            newestRecord: reader.tail?.newest, newestTimestamp: context.options.newestTimestamp())
        let answer = rule.answer(to: observation, shardCount: shards.count)
        if let desired = answer.desired { context.metrics.shardsDesired.set(desired) }
        guard answer.shardCount != shards.count, !isStopping else { return }
        let recent = max(2 * context.section.queue.batchSendDeadline, ShardCountRule.interval)
        guard context.progress.allowsResharding(at: context.clock.now(), lastSendWithin: recent) else {
            return context.logger.debug("Skipping resharding, last successful send was beyond threshold")
        }
        context.logger.info(
            "Remote storage resharding", metadata: ["from": "\(shards.count)", "to": "\(answer.shardCount)"])
        // All that is under way arrives first: a series' samples keep their order.
        board.enter(.draining)
        for shard in shards { await shard.value }
        guard board.restart(shardCount: answer.shardCount) else { return }
        startShards(answer.shardCount)
    }

    // MARK: Ending

    /// Sends what waits, as far as the deadline allows, then ends. What is left is in the log.
    /// - Parameters:
    ///   - finishing: also what the log has and has not been read.
    ///   - milliseconds: the deadline.
    func stop(finishing: Bool, within milliseconds: Int64) async {
        guard !isStopping else { return }
        isStopping = true
        guard !loops.isEmpty else { return }
        if finishing { reader.finish() } else { reader.stop() }
        let deadline = Task { [self] in
            do { try await context.clock.sleep(milliseconds: milliseconds) } catch { return }
            cutShort()
        }
        if !finishing { board.enter(.stopping) }
        await reader.waitUntilEnded()
        board.enter(.stopping)
        for shard in shards { await shard.value }
        deadline.cancel()
        for loop in loops { loop.cancel() }
        for loop in loops { await loop.value }
        reader.tail?.close()
    }

    private func cutShort() {
        let left = board.pending
        context.logger.error(
            "Failed to flush all samples on shutdown, the log keeps them",
            metadata: ["samples": "\(left.samples)", "histograms": "\(left.histograms)"])
        board.enter(.closed)
        reader.stop()
        for shard in shards { shard.cancel() }
    }

    /// Sets the metrics that are read off something else.
    nonisolated func refreshMetrics() {
        let metrics = context.metrics
        metrics.setPending(board.pending)
        guard let tail = reader.tail else { return }
        metrics.currentSegment.set(Double(tail.currentSegment))
        metrics.decodeFailures.mirror(Double(tail.lostRecordCount))
    }
}
