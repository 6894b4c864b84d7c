namespace Millrace.Storage.Bus;

/// <summary>One link while it is up, and another, which carries less, while it is not. Both receive all the time: a hint that comes twice costs nothing.</summary>
public sealed class FallbackLink : BusLink
{
    private readonly BusLink _first;
    private readonly BusLink _second;

    public FallbackLink(BusLink first, BusLink second)
        : base(_ => { })
    {
        (_first, _second) = (first, second);
        first.Changed += up => RaiseChanged(up || second.IsUp);
        second.Changed += up => RaiseChanged(up || first.IsUp);
        first.Lost += RaiseLost;
        second.Lost += RaiseLost;
    }

    public override bool IsUp => _first.IsUp || _second.IsUp;

    public override void Send(string topic, long position, ReadOnlyMemory<byte> payload) => (_first.IsUp ? _first : _second).Send(topic, position, payload);

    public override void Follow(string topic)
    {
        _first.Follow(topic);
        _second.Follow(topic);
    }

    public override void Unfollow(string topic)
    {
        _first.Unfollow(topic);
        _second.Unfollow(topic);
    }

    public override Task<IReadOnlyList<LinkMessage>> RecentAsync(string topic) => _first.RecentAsync(topic);

    public override async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }
}
