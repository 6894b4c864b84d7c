using Millrace.Engine.Functions;

namespace Millrace.Engine.Execution;

/// <summary>How many effects run at once, by lane.</summary>
internal sealed class Lanes(EngineSettings settings) : IDisposable
{
    private readonly Slots _io = new(settings.IoMax);
    private readonly Slots _cpu = new(settings.CpuMax);
    private readonly Slots _sandbox = new(settings.SandboxMax);

    /// <summary>Effects that are under way or wait for a slot.</summary>
    public int Busy => _io.Used + _io.Waiting + _cpu.Used + _cpu.Waiting + _sandbox.Used + _sandbox.Waiting;

    public Slots Of(Lane lane) => lane switch
    {
        Lane.Cpu => _cpu,
        Lane.Sandbox => _sandbox,
        _ => _io,
    };

    public void Dispose()
    {
        _io.Dispose();
        _cpu.Dispose();
        _sandbox.Dispose();
    }
}

/// <summary>The slots of one lane. One that was taken is given back on every way out.</summary>
internal sealed class Slots(int max) : IDisposable
{
    private readonly SemaphoreSlim _free = new(max);
    private int _waiting;

    public int Max => max;
    public int Used => max - _free.CurrentCount;

    /// <summary>Effects that wait for one.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public ValueTask TakeAsync(CancellationToken cancel) => _free.Wait(0, CancellationToken.None) ? default : WaitAsync(cancel);

    public void Give() => _free.Release();

    public void Dispose() => _free.Dispose();

    private async ValueTask WaitAsync(CancellationToken cancel)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _free.WaitAsync(cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
