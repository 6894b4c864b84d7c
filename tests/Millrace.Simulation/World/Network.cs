using Millrace.Engine.Execution;
using Millrace.Simulation.Core;
using Millrace.Storage.Bus;

namespace Millrace.Simulation.World;

/// <summary>
/// Carries wake-ups from the bus of one worker to the bus of another. They are hints, and it treats them so: some are lost, some come
/// twice, and each takes a time of its own, so that they overtake each other.
/// </summary>
internal sealed class Network(Cluster cluster, Dice dice)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    private readonly Process _process = cluster.Scheduler.Start("network");
    private readonly HashSet<(WorkerNode From, long Lease)> _carried = [];

    /// <summary>How likely a message is lost.</summary>
    public double Lost { get; set; }

    /// <summary>How likely a message comes twice.</summary>
    public double Doubled { get; set; }

    /// <summary>How long a message takes, on average.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(1);

    public void Begin() => _process.Go(async () =>
    {
        while (true)
        {
            foreach (var to in cluster.Workers.Where(w => w.Engine is not null).ToList())
            {
                var lease = to.Engine!.Worker.Lease.Id;
                foreach (var from in cluster.Workers.Where(w => w != to).ToList())
                {
                    if (_carried.Add((from, lease))) _process.Go(() => CarryAsync(from, to, Topics.Worker(lease)));
                }
            }

            await _process.DelayAsync(LookInterval);
        }
    });

    private async Task CarryAsync(WorkerNode from, WorkerNode to, string topic)
    {
        await using var subscription = from.Bus.Subscribe(topic);
        while (await subscription.WaitAsync())
        {
            while (subscription.TryRead(out var message))
            {
                if (dice.Chance(Lost)) continue;
                _process.Go(() => DeliverAsync(to, topic, message));
                if (dice.Chance(Doubled)) _process.Go(() => DeliverAsync(to, topic, message));
            }
        }
    }

    private async Task DeliverAsync(WorkerNode to, string topic, BusMessage message)
    {
        await _process.DelayAsync(dice.Span(Delay));
        if (!to.Process.IsDead) to.Bus.Publish(topic, message);
    }
}
