using Millrace.Engine.Functions;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>What can happen to a run that is in memory. One actor takes them one at a time.</summary>
internal abstract class RunEvent
{
    /// <summary>This worker holds the run now, and has read what it had not seen.</summary>
    public sealed class Claimed(RunRow row) : RunEvent
    {
        public RunRow Row { get; } = row;
    }

    /// <summary>The run was created here, with its row held by this worker.</summary>
    public sealed class Created : RunEvent
    {
        public static readonly Created Instance = new();
    }

    /// <summary>Somebody has written to the run's inbox.</summary>
    public sealed class Signalled : RunEvent
    {
        public static readonly Signalled Instance = new();
    }

    /// <summary>A record has reached the disk.</summary>
    public sealed class Durable(RunRecord record) : RunEvent
    {
        public RunRecord Record { get; } = record;
    }

    public sealed class EffectEnded(int step, FunctionOutcome outcome) : RunEvent
    {
        public int Step { get; } = step;
        public FunctionOutcome Outcome { get; } = outcome;
    }

    public sealed class SubStepEnded(int step, string name, Json output, TaskCompletionSource durable) : RunEvent
    {
        public int Step { get; } = step;
        public string Name { get; } = name;
        public Json Output { get; } = output;
        public TaskCompletionSource Recorded { get; } = durable;
    }

    /// <summary>Definitions or workspaces stand that did not.</summary>
    public sealed class HoldsChanged : RunEvent
    {
        public static readonly HoldsChanged Instance = new();
    }

    /// <summary>A timer of a run that is held may be due.</summary>
    public sealed class Tick : RunEvent
    {
        public static readonly Tick Instance = new();
    }
}
