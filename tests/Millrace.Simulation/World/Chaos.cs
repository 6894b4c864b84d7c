using Millrace.Testing.Virtual;
using Millrace.Storage;

namespace Millrace.Simulation.World;

/// <summary>What may go wrong. A seed rolls which of these it has to live with.</summary>
[Flags]
public enum Faults
{
    None = 0,
    Pauses = 1,
    Deaths = 2,
    Crashes = 4,
    PowerLosses = 8,
    FullDisk = 16,
    RefusedSyncs = 32,
    BrokenWrites = 64,
    Stalls = 128,
    Refusals = 256,

    /// <summary>A commit reaches the disk and is reported as failed.</summary>
    FalseFailures = 512,
    SlowAnswers = 1024,
    Clocks = 2048,
    Departures = 4096,
    Blobs = 8192,
    Messages = 16384,
    All = 32767,
}

/// <summary>A world that breaks its own rules, to see that the verdict notices.</summary>
public enum Sabotage
{
    None,

    /// <summary>Now and then a write is acknowledged and was never made.</summary>
    ForgetsWrites,

    /// <summary>The disk says that it has synced and has not.</summary>
    ForgetsSyncs,

    /// <summary>Now and then an effect reaches the outside twice.</summary>
    RepeatsEffects,

    /// <summary>Whoever waits for a slot is given one.</summary>
    GivesSlots,

    /// <summary>What was approved is rejected, and the other way round.</summary>
    TurnsAnswers,

    /// <summary>Now and then something is said to be undone and is not.</summary>
    KeepsWhatWasDone,

    /// <summary>Whom events are sent to says of some that they came, and they did not.</summary>
    LosesEvents,

    /// <summary>Now and then a message of a stream does not arrive.</summary>
    LosesMessages,

    /// <summary>People put a secret into what they send.</summary>
    TellsSecrets,

    /// <summary>Now and then an event comes to be in the other workspace.</summary>
    MixesWorkspaces,
}

/// <summary>Makes things go wrong, one after another, and keeps the cluster alive as an operator's supervisor does.</summary>
internal sealed class Chaos(Cluster cluster, Dice dice, Faults faults)
{
    private readonly Process _process = cluster.Scheduler.Start("operator");
    private readonly List<Faults> _kinds = [.. Enum.GetValues<Faults>().Where(f => f is not (Faults.None or Faults.All) && faults.HasFlag(f))];

    private int _workers;
    private bool _isCalm;
    private bool _isOpening;

    public void Begin(int workers, TimeSpan trouble)
    {
        _workers = workers;
        _process.Go(SuperviseAsync);
        if (_kinds.Count > 0) _process.Go(() => TroubleAsync(trouble));
        else _isCalm = true;
        _process.Go(async () =>
        {
            await _process.DelayAsync(trouble);
            _isCalm = true;
            cluster.Heal();
            cluster.Scheduler.Note("trouble is over");
        });
    }

    public bool IsCalm => _isCalm;

    private async Task TroubleAsync(TimeSpan within)
    {
        var end = cluster.Scheduler.Now + (long)within.TotalMicroseconds;
        while (true)
        {
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(4)));
            if (cluster.Scheduler.Now >= end) return;
            // Not awaited: several may be under way at once.
            _process.Go(() => BeginAsync(dice.Of(_kinds)));
        }
    }

    private async Task BeginAsync(Faults fault)
    {
        var span = dice.Span(TimeSpan.FromSeconds(5));
        switch (fault)
        {
            case Faults.Pauses when AnyWorker() is { } worker:
                var pause = dice.Chance(0.4) ? TimeSpan.FromSeconds(10) + span : span;
                cluster.Scheduler.Note($"{worker.Process.Name} stands still for {pause.TotalSeconds:0.0} s");
                worker.Process.Pause(pause);
                break;
            case Faults.Deaths when AnyWorker() is { } worker: cluster.Kill(worker); break;
            case Faults.Departures when AnyWorker() is { } worker: await cluster.LeaveAsync(worker); break;
            case Faults.Crashes: await cluster.CrashAsync(powerToo: false); break;
            case Faults.PowerLosses: await cluster.CrashAsync(powerToo: true); break;
            case Faults.FullDisk: await ForAsync("the disk is full", span, () => cluster.Disk.IsFull = true, () => cluster.Disk.IsFull = false); break;
            case Faults.RefusedSyncs: Mark("a sync will be refused", () => cluster.Disk.SyncsToRefuse++); break;
            case Faults.BrokenWrites: Mark("a write will be refused", () => cluster.Disk.WritesToRefuse++); break;
            case Faults.Stalls: Mark("the database stands still", () => cluster.StallDatabase(span)); break;
            case Faults.Refusals:
                await TroubleAsync("the database refuses", span, t => t with { Refused = dice.Fraction(), ReadsRefused = dice.Chance(0.5) ? dice.Fraction() : 0 }, t => t with { Refused = 0, ReadsRefused = 0 });
                break;
            case Faults.FalseFailures:
                await TroubleAsync("commits are reported as failed", span, t => t with { ReportedAsFailed = dice.Fraction() }, t => t with { ReportedAsFailed = 0 });
                break;
            case Faults.SlowAnswers:
                await TroubleAsync("answers are slow", span, t => t with { Answers = dice.Span(TimeSpan.FromMilliseconds(400)) }, t => t with { Answers = TimeSpan.Zero });
                break;
            case Faults.Clocks when AnyWorker() is { } worker:
                cluster.ClocksDiffered |= !cluster.SharesClock;
                Mark($"the clock of {worker.Process.Name} jumps", () => worker.Process.Skew = (dice.Fraction() - 0.5) * TimeSpan.FromSeconds(dice.Chance(0.2) ? 7_200 : 4));
                break;
            case Faults.Messages: await ForAsync("messages are lost", span, LoseMessages, () => (cluster.Network.Lost, cluster.Network.Doubled) = (0, 0)); break;
            case Faults.Blobs: await ForAsync("the blob store refuses", span, () => cluster.Blobs.Refused = dice.Fraction(), () => cluster.Blobs.Refused = 0); break;
        }
    }

    /// <summary>Starts what is missing: the database when it is down or will take no writes any more, and workers.</summary>
    private async Task SuperviseAsync()
    {
        while (true)
        {
            if (cluster.Database is { Fault.Recoverable: false }) await cluster.CrashAsync(powerToo: dice.Chance(0.3) && faults.HasFlag(Faults.PowerLosses));
            if (cluster.Database is null && !_isOpening) await OpenAsync();
            await cluster.SabotageAsync();
            if (cluster.Database is not null && cluster.Workers.Count < _workers) _process.Go(cluster.StartWorkerAsync);
            await _process.DelayAsync(_isCalm ? TimeSpan.FromSeconds(1) : dice.Span(TimeSpan.FromSeconds(2)));
        }
    }

    private async Task OpenAsync()
    {
        _isOpening = true;
        try
        {
            await cluster.OpenAsync();
        }
        catch (StorageUnavailableException e)
        {
            cluster.Scheduler.Note($"the database does not open: {e.Message}");
        }
        finally
        {
            _isOpening = false;
        }
    }

    private void LoseMessages()
    {
        cluster.Network.Lost = dice.Fraction();
        cluster.Network.Doubled = dice.Fraction();
        cluster.Network.Delay = dice.Span(TimeSpan.FromSeconds(1));
    }

    private WorkerNode? AnyWorker() => cluster.Workers.Count == 0 ? null : dice.Of(cluster.Workers);

    private void Mark(string what, Action happens)
    {
        cluster.Scheduler.Note(what);
        happens();
    }

    private async Task ForAsync(string what, TimeSpan span, Action begins, Action ends)
    {
        Mark(what, begins);
        await _process.DelayAsync(span);
        ends();
        cluster.Scheduler.Note($"no longer: {what}");
    }

    private Task TroubleAsync(string what, TimeSpan span, Func<Trouble, Trouble> begins, Func<Trouble, Trouble> ends) =>
        ForAsync(what, span, () => cluster.Trouble = begins(cluster.Trouble), () => cluster.Trouble = ends(cluster.Trouble));
}
