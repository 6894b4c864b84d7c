using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Limits;

/// <summary>
/// One turn of giving out what runs of a workspace wait for. Only one process at a time has a workspace's turn, so what is counted here is so
/// when it is given. A run gets all that it needs, or nothing.
/// </summary>
internal sealed class LimitTurn(DbUnit db, Tenant tenant, long now)
{
    /// <summary>Runs that begin in one turn, and those of one line that are looked at.</summary>
    private const int GivenMax = 500, LookedAtMax = 1000;

    private readonly Dictionary<LimitLine, long> _held = [];

    /// <summary>How many may still begin at a rate; below 0 when it has been found out when the next may.</summary>
    private readonly Dictionary<(LimitLine Line, int Most, long Micros), long> _room = [];

    private readonly Dictionary<string, int?> _settings = new(StringComparer.Ordinal);
    private readonly HashSet<Guid> _seen = [];

    /// <summary>Runs that have all they need, and are due.</summary>
    public List<Guid> Given { get; } = [];

    /// <summary>Runs that were asked to end.</summary>
    public List<Guid> Cancelled { get; } = [];

    /// <summary>When time alone lets another one begin, Unix microseconds.</summary>
    public long Next { get; private set; } = long.MaxValue;

    /// <summary>Serves lines of the workspace.</summary>
    /// <returns>False when another process has the turn.</returns>
    public bool Serve(IEnumerable<LimitLine> lines)
    {
        if (!LimitStore.Lock(db, tenant, now)) return false;
        foreach (var line in lines) Serve(line);
        return true;
    }

    private void Serve(LimitLine line)
    {
        var waiting = LimitStore.Waiting(db, line, LookedAtMax);
        if (waiting.Exists(p => p.OnLimit == OnLimit.CancelInProgress)) LeaveNewest(line, MostOf(waiting.Find(p => p.OnLimit == OnLimit.CancelInProgress)!));
        foreach (var place in waiting)
        {
            if (Given.Count >= GivenMax)
            {
                Next = now;
                return;
            }
            if (IsFull(place)) return;
            if (_seen.Add(place.Run)) Consider(place.Run);
        }
    }

    /// <summary>Nobody behind the place gets what it waits for here, because it does not.</summary>
    private bool IsFull(LimitPlace place) => place.Kind switch
    {
        NeedKind.Slot => place.OnLimit == OnLimit.Queue && HeldOf(place.Line) >= MostOf(place),
        NeedKind.Rate => RoomOf(place) <= 0,
        _ => false,
    };

    /// <summary>Of those at a line where the newest go first, the others are asked to end.</summary>
    private void LeaveNewest(LimitLine line, int most)
    {
        foreach (var old in LimitStore.BehindNewest(db, line, most, LookedAtMax)) Cancel(old.Run, $"a newer run needs its slot of the limit {line.Name}{Of(line.Key)}");
    }

    private void Consider(Guid run)
    {
        var places = LimitStore.Of(db, tenant, run);
        var waits = places.FindAll(p => p.Held == Held.Waits);
        if (waits.Count == 0 || places.Exists(p => p.Held is Held.Refused or Held.Ending)) return;
        foreach (var place in waits)
            if (!Fits(place)) return;
        if (LimitStore.Give(db, tenant, run) != waits.Count) return;
        foreach (var place in waits)
        {
            if (place.Kind == NeedKind.Slot) _held[place.Line] = HeldOf(place.Line) + 1;
            else if (place.Kind == NeedKind.Rate) Begin(place);
        }
        RunStore.Wake(db, tenant, run, now);
        Given.Add(run);
    }

    private bool Fits(LimitPlace place)
    {
        switch (place.Kind)
        {
            case NeedKind.Slot:
                if (HeldOf(place.Line) < MostOf(place)) return true;
                if (place.OnLimit == OnLimit.CancelNewest) Cancel(place.Run, $"the limit {place.Line.Name}{Of(place.Line.Key)} of {MostOf(place)} was reached");
                return false;
            case NeedKind.Rate:
                return RoomOf(place) > 0;
            default:
                return IsLast(place);
        }
    }

    /// <summary>Whether no other start has come since; one that has takes this one's place.</summary>
    private bool IsLast(LimitPlace place)
    {
        var line = LimitStore.Waiting(db, place.Line, LookedAtMax).FindAll(p => p.Kind == NeedKind.Quiet && p.Held == Held.Waits);
        var last = line.MaxBy(p => (p.Since, p.Run))!;
        var first = line.Min(p => p.FirstAt);
        foreach (var superseded in line)
            if (superseded.Run != last.Run) Cancel(superseded.Run, $"a later start took its place: run {last.Run}");
        if (first < last.FirstAt) LimitStore.SetFirst(db, last, first);
        last = last with { FirstAt = first };
        if (last.QuietAt > now) Next = Math.Min(Next, last.QuietAt);
        return last.Run == place.Run && last.QuietAt <= now;
    }

    private void Cancel(Guid run, string reason)
    {
        _seen.Add(run);
        LimitStore.Ending(db, tenant, run);
        SignalStore.Send(db, tenant, run, "cancel", Json.Object("reason", reason), now);
        Cancelled.Add(run);
    }

    private long RoomOf(LimitPlace place)
    {
        var rate = (place.Line, Most: MostOf(place), place.Micros);
        if (!_room.TryGetValue(rate, out var room)) room = rate.Most - LimitStore.CountStarts(db, place.Line, now - place.Micros, rate.Most);
        if (room == 0)
        {
            if (LimitStore.StartBefore(db, place.Line, Math.Max(0, rate.Most - 1)) is { } first) Next = Math.Min(Next, first + place.Micros);
            room = -1;
        }
        return _room[rate] = room;
    }

    private void Begin(LimitPlace place)
    {
        LimitStore.AddStart(db, place.Line, place.Run, now, now + place.Micros);
        foreach (var rate in _room.Keys.Where(r => r.Line == place.Line).ToList())
            if (_room[rate] > 0) _room[rate]--;
    }

    private long HeldOf(LimitLine line) => _held.TryGetValue(line, out var held) ? held : _held[line] = LimitStore.CountHeld(db, line);

    private int MostOf(LimitPlace place)
    {
        if (!_settings.TryGetValue(place.Line.Name, out var setting)) _settings[place.Line.Name] = setting = Setting(place.Line.Name);
        return setting ?? place.Most;
    }

    private int? Setting(string name) => name == WorkspaceLimits.Line ? LimitStore.OfWorkspace(db, tenant).Most ?? int.MaxValue : LimitStore.Setting(db, tenant, name);

    private static string Of(string key) => key.Length == 0 ? "" : $" for '{key}'";
}
