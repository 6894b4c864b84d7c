using Millrace.Engine.Execution;
using Millrace.Testing.Virtual;
using Millrace.Storage.Bus;

namespace Millrace.Simulation.World;

/// <summary>
/// Joins the buses of the workers. What it carries are hints, and it treats them so: some are lost without a word, some come twice, and
/// each takes a time of its own, so that they overtake each other.
/// </summary>
internal sealed class Network(Dice dice)
{
    private readonly List<Link> _links = [];

    /// <summary>How likely a message is lost.</summary>
    public double Lost { get; set; }

    /// <summary>How likely a message comes twice.</summary>
    public double Doubled { get; set; }

    /// <summary>How long a message takes, on average.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(1);

    public BusLink Join(Process process, EventBus bus)
    {
        var link = new Link(this, process, bus);
        bus.Join(link);
        _links.RemoveAll(l => l.Process.IsDead);
        _links.Add(link);
        return link;
    }

    private void Carry(Link from, LinkMessage message)
    {
        foreach (var to in _links)
        {
            if (to == from || to.Process.IsDead || !to.Topics.Contains(message.Topic) || dice.Chance(Lost)) continue;
            for (var times = dice.Chance(Doubled) ? 2 : 1; times > 0; times--)
            {
                var delay = dice.Span(Delay);
                to.Process.Go(async () =>
                {
                    await to.Process.DelayAsync(delay);
                    to.Receive(message);
                });
            }
        }
    }

    private sealed class Link(Network network, Process process, EventBus bus) : BusLink(message => BusMessages.Receive(bus, message))
    {
        public Process Process => process;
        public HashSet<string> Topics { get; } = new(StringComparer.Ordinal);
        public override bool IsUp => true;

        public void Receive(LinkMessage message) => Deliver(message);

        public override void Send(string topic, long position, ReadOnlyMemory<byte> payload) => network.Carry(this, new LinkMessage(topic, position, payload));

        public override void Follow(string topic) => Topics.Add(topic);

        public override void Unfollow(string topic) => Topics.Remove(topic);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
