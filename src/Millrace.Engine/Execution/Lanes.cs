using Millrace.Engine.Functions;

namespace Millrace.Engine.Execution;

/// <summary>How many effects run at once, by lane. A slot comes back on every way out: it is given as a disposable.</summary>
internal sealed class Lanes(EngineSettings settings) : IDisposable
{
    private readonly SemaphoreSlim _io = new(settings.IoMax);
    private readonly SemaphoreSlim _cpu = new(settings.CpuMax);
    private readonly SemaphoreSlim _sandbox = new(settings.SandboxMax);

    public SemaphoreSlim Of(Lane lane) => lane switch
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
