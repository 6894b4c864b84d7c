namespace Millrace.Workflows.Kernel;

internal enum TimerKind : byte { Timeout, Wake, Attempt }

internal readonly record struct Timer(long At, int Step, TimerKind Kind) : IComparable<Timer>
{
    public int CompareTo(Timer other) => (At, Step, Kind).CompareTo((other.At, other.Step, other.Kind));
}
