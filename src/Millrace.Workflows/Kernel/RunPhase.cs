namespace Millrace.Workflows.Kernel;

/// <summary>States of the specification (dsl.md, Status Phases).</summary>
public enum RunPhase : byte { Pending = 0, Running = 1, Waiting = 2, Suspended = 3, Cancelled = 4, Faulted = 5, Completed = 6 }

/// <summary>Steps by how they ended. Started does not count the skipped ones.</summary>
public readonly record struct StepCounts(int Started, int Completed, int Faulted, int Skipped, int Cancelled);
