namespace Millrace.Engine.Execution;

/// <summary>Limits of one worker. Every figure is checked when the engine starts.</summary>
public sealed record EngineSettings
{
    /// <summary>Shown in the lease's row.</summary>
    public string WorkerName { get; init; } = Environment.MachineName;

    /// <summary>True when no other process can open the database: every other lease is over at once.</summary>
    public bool Alone { get; init; } = true;

    /// <summary>False for a process that only starts runs and takes wishes about them: it holds none.</summary>
    public bool Works { get; init; } = true;

    /// <summary>Whether it starts the runs of schedules that are due. Any number of processes may.</summary>
    public bool Schedules { get; init; } = true;

    /// <summary>For how long a worker's heart may stand still before its runs go to others.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Effects under way at once, by lane.</summary>
    public int IoMax { get; init; } = 4096;
    public int CpuMax { get; init; } = Math.Max(2, Environment.ProcessorCount);
    public int SandboxMax { get; init; } = 16;

    /// <summary>Runs whose state is kept in memory while they wait; beyond it the oldest are read again when they wake.</summary>
    public int IdleRunsMax { get; init; } = 5_000;

    /// <summary>Runs under way beyond which this worker takes no due ones: others may have time for them.</summary>
    public int HeldMax { get; init; } = 10_000;

    /// <summary>Due runs taken in one statement.</summary>
    public int ClaimMax { get; init; } = 200;

    /// <summary>How often due runs are looked for when nothing says there are any.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Runs that start runs that start runs.</summary>
    public int DepthMax { get; init; } = 32;

    /// <summary>How long events are kept, and for how long one with the same source and id is a duplicate.</summary>
    public TimeSpan EventsKept { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long stopping waits for effects under way.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After which time a loop looks again whatever it expects, since clocks are set and words get lost.</summary>
    internal TimeSpan SleepMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What this build can read of a run; less only where a test stands for an older build.</summary>
    internal int Format { get; init; } = Journal.EntryReader.Format;

    internal EngineSettings Checked()
    {
        if (LeaseTime < TimeSpan.FromSeconds(1)) throw new ArgumentException("LeaseTime is at least one second.");
        if (IoMax < 1 || CpuMax < 1 || SandboxMax < 1) throw new ArgumentException("Each lane holds at least one effect.");
        if (ClaimMax is < 1 or > 10_000) throw new ArgumentException("ClaimMax is 1 to 10000.");
        if (HeldMax < 1) throw new ArgumentException("HeldMax is at least 1.");
        if (EventsKept < TimeSpan.FromMinutes(1)) throw new ArgumentException("EventsKept is at least one minute.");
        if (IdleRunsMax < 0) throw new ArgumentException("IdleRunsMax is not negative.");
        return this;
    }
}
