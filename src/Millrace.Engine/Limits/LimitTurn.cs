using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Limits;

/// <summary>
/// One turn of giving out what runs of a workspace wait for. Only one process at a time has a workspace's turn, so what is counted here is so
/// when it is given. A run gets all that it needs, or nothing.
/// </summary>
/// <param name="from">How far turns before have come at lines that were too long for them.</param>
internal sealed class LimitTurn(DbUnit db, Tenant tenant, long now, IReadOnlyDictionary<LimitLine, LimitPlace>? from = null)
{
    /// <summary>Runs that begin in one turn, those of one line that are looked at, and those that are read at once: few at first, for most lines are full.</summary>
    private const int GivenMax = 500, LookedAtMax = 1000, HeadMax = 10, PageMax = 200;

    private readonly Dictionary<LimitLine, long> _held = [];

    /// <summary>How many may still begin at a rate; below 0 when it has been found out when the next may.</summary>
    private readonly Dictionary<(LimitLine Line, int Most, long Micros), long> _room = [];

    private readonly Dictionary<string, int?> _settings = new(StringComparer.Ordinal);
    private readonly HashSet<Guid> _seen = [];
    private long _next = long.MaxValue;

    /// <summary>Runs that have all they need, and are due.</summary>
    public List<Guid> Given { get; } = [];

    /// <summary>Runs that were asked to end.</summary>
    public List<Guid> Cancelled { get; } = [];

    /// <summary>Lines that the turn did not come to the end of, with the last place it has looked at; null: with none.</summary>
    public Dictionary<LimitLine, LimitPlace?> CameTo { get; } = [];

    /// <summary>Lines at which another one may begin though nobody says that they have changed.</summary>
    public HashSet<LimitLine> Again { get; } = [];

    /// <summary>When another one may begin: by time alone, or because the turn has not looked at all. Unix microseconds.</summary>
    public long Next => CameTo.Count > 0 ? now : _next;

    /// <summary>Serves lines of the workspace.</summary>
    /// <returns>False when another process has the turn.</returns>
    public bool Serve(IEnumerable<LimitLine> lines)
    {
        if (!LimitStore.Lock(db, tenant, now)) return false;
        foreach (var line in lines) Serve(line);
        return true;
    }

    /// <summary>A run has come to its lines. Nothing came free by that, so they are served only when the run itself may begin: whoever came before goes first.</summary>
    /// <returns>False when another process has the turn.</returns>
    public bool Come(Guid run, IEnumerable<LimitLine> lines)
    {
        if (!LimitStore.Lock(db, tenant, now)) return false;
        var waits = LimitStore.Of(db, tenant, run).FindAll(p => p.Held == Held.Waits);
        foreach (var place in waits)
            if (place.OnLimit == OnLimit.CancelInProgress) LeaveNewest(place.Line, MostOf(place));
        if (_seen.Contains(run) || !waits.TrueForAll(Fits)) return true;
        foreach (var line in lines) Serve(line);
        return true;
    }

    private void Serve(LimitLine line)
    {
        var (after, looked, left) = (from?.GetValueOrDefault(line), 0, false);
        for (var max = HeadMax; ; max = PageMax)
        {
            var page = LimitStore.Waiting(db, line, after, max);
            if (!left && page.Select(At).FirstOrDefault(p => p.OnLimit == OnLimit.CancelInProgress) is { } newest)
            {
                LeaveNewest(line, MostOf(newest));
                left = true;
            }
            foreach (var places in page)
            {
                var place = At(places);
                if (Given.Count >= GivenMax || looked++ >= LookedAtMax)
                {
                    CameTo[line] = after;
                    Again.Add(line);
                    return;
                }
                if (IsFull(place)) return;
                if (_seen.Add(place.Run)) Consider(places);
                after = place;
            }
            if (page.Count < max) return;
        }

        LimitPlace At(List<LimitPlace> places) => places.Find(p => p.Line == line)!;
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

    private void Consider(List<LimitPlace> places)
    {
        var run = places[0].Run;
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
        if (last.QuietAt > now) Await(place.Line, last.QuietAt);
        return last.Run == place.Run && last.QuietAt <= now;
    }

    private void Await(LimitLine line, long at)
    {
        Again.Add(line);
        _next = Math.Min(_next, at);
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
            if (LimitStore.StartBefore(db, place.Line, Math.Max(0, rate.Most - 1)) is { } first) Await(place.Line, first + place.Micros);
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
