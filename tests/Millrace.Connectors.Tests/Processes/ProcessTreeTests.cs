using System.Globalization;
using Millrace.Connectors.Processes;

namespace Millrace.Connectors.Tests.Processes;

/// <summary>Whatever way a process ends, nothing it started goes on.</summary>
public sealed class ProcessTreeTests : IDisposable
{
    // Ignores SIGTERM, leads a session of its own, and its parent is gone before the test looks.
    private const string Detached = "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait";

    private readonly string _root = Directory.CreateTempSubdirectory("millrace-test-").FullName;
    private readonly TaskCompletionSource<int> _pid = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory]
    [InlineData("echo $$; sleep 1000")]
    [InlineData("sh -c 'echo $$; sleep 1000'; true")]
    [InlineData("trap '' TERM; echo $$; while :; do sleep 1; done")]
    [InlineData(Detached)]
    [InlineData("( " + Detached + " ) & sleep 1000")]
    public async Task Cancelling_ends_the_process_and_all_it_started(string command)
    {
        using var cancel = new CancellationTokenSource();
        var run = RunAsync(command, new ProcessSettings { Allowed = true }, TimeSpan.FromHours(1), cancel.Token);
        var pid = await _pid.Task.WaitAsync(Calling.Patience);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Calling.Patience));
        Assert.True(IsGone(pid));
    }

    [Fact]
    public async Task The_time_limit_ends_the_process_and_all_it_started()
    {
        var time = new ManualTime();
        var run = new HostProcessPort(Settings(new ProcessSettings { Allowed = true, Grace = TimeSpan.Zero })).RunAsync(Start("echo $$; sleep 1000", TimeSpan.FromMinutes(1)), time, CancellationToken.None);
        var pid = await _pid.Task.WaitAsync(Calling.Patience);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ProcessEnding.TimeLimit, (await run.WaitAsync(Calling.Patience)).Ending);
        Assert.True(IsGone(pid));
    }

    [Fact]
    public async Task Too_much_output_ends_the_process_and_all_it_started()
    {
        var end = await RunAsync("echo $$; yes", new ProcessSettings { Allowed = true }, TimeSpan.FromHours(1), CancellationToken.None, outputBytesMax: 100_000);
        Assert.Equal(ProcessEnding.OutputLimit, end.Ending);
        Assert.Equal(100_000, end.Stdout.Length);
        Assert.True(IsGone(await _pid.Task));
    }

    [Theory]
    [InlineData("sh -c 'echo $$; exec sleep 1000' & while [ ! -s ready ]; do sleep 0.01; [ -e /proc/$! ] && echo > ready; done; exit 0")]
    [InlineData("(setsid sh -c 'trap \"\" TERM; echo $$; touch here; while :; do sleep 1; done' &) ; while [ ! -e here ]; do sleep 0.01; done; exit 0")]
    public async Task What_a_process_leaves_behind_is_ended_when_it_exits(string command)
    {
        var end = await RunAsync(command, new ProcessSettings { Allowed = true }, TimeSpan.FromHours(1), CancellationToken.None);
        Assert.Equal((ProcessEnding.Exited, 0), (end.Ending, end.Code));
        Assert.True(IsGone(await _pid.Task.WaitAsync(Calling.Patience)));
    }

    [Fact]
    public async Task A_process_that_ends_in_the_grace_is_not_killed()
    {
        using var cancel = new CancellationTokenSource();
        var mark = Path.Combine(_root, "ended");
        var run = RunAsync($"trap 'echo tidy > {mark}; exit 0' TERM; echo $$; while :; do sleep 0.05; done", new ProcessSettings { Allowed = true, Grace = TimeSpan.FromSeconds(20) }, TimeSpan.FromHours(1), cancel.Token);
        await _pid.Task.WaitAsync(Calling.Patience);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Calling.Patience));
        Assert.Equal("tidy\n", await File.ReadAllTextAsync(mark));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Task<ProcessEnd> RunAsync(string command, ProcessSettings settings, TimeSpan limit, CancellationToken cancel, long outputBytesMax = 1 << 20)
    {
        if (settings.Grace == new ProcessSettings().Grace) settings = settings with { Grace = TimeSpan.FromMilliseconds(200) };
        return new HostProcessPort(Settings(settings)).RunAsync(Start(command, limit) with { OutputBytesMax = outputBytesMax }, TimeProvider.System, cancel);
    }

    private ProcessSettings Settings(ProcessSettings settings) => settings with { ScratchRoot = _root };

    /// <summary>The first line of output is the number of the process to look for.</summary>
    private ProcessStart Start(string command, TimeSpan limit) => new()
    {
        Program = "sh",
        Arguments = ["-c", command],
        TimeLimit = limit,
        OutputBytesMax = 1 << 20,
        Output = (_, text) =>
        {
            if (!_pid.Task.IsCompleted) _pid.SetResult(int.Parse(text.Split('\n')[0], CultureInfo.InvariantCulture));
        },
    };

    /// <summary>Gone, or dead and only not yet collected by its parent.</summary>
    private static bool IsGone(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[text.LastIndexOf(')') + 2] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }
}
