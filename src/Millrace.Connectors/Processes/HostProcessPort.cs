using System.Diagnostics;

namespace Millrace.Connectors.Processes;

/// <summary>
/// Runs processes on this machine, each in a session of its own (through <c>setsid</c> of util-linux), with the server's user and rights. It keeps
/// a machine tidy and gives honest limits; it is no sandbox. Linux only: the way processes are found and ended needs <c>/proc</c>.
/// </summary>
public sealed class HostProcessPort : IProcessPort
{
    // Output that ended processes have written is there at once; longer means that somebody still holds the pipe.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    private readonly ProcessSettings _settings;

    public HostProcessPort(ProcessSettings settings) => _settings = settings.Checked();

    private string PathList => _settings.Path ?? Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";

    public async Task<ProcessEnd> RunAsync(ProcessStart start, TimeProvider time, CancellationToken cancel)
    {
        if (!OperatingSystem.IsLinux()) return NotFound("Processes on the host are supported on Linux only.");
        if (Find("setsid") is not { } setsid) return NotFound("setsid (package util-linux) is not on PATH.");
        if (Find(start.Program) is not { } program) return NotFound($"{start.Program} is not on PATH.");
        cancel.ThrowIfCancellationRequested();
        using var scratch = new ProcessScratch(_settings.ScratchRoot);
        foreach (var (name, content) in start.Files)
            await File.WriteAllBytesAsync(Path.Combine(scratch.Work, Path.GetFileName(name)), content, cancel);
        using var process = new Process { StartInfo = Describe(start, setsid, program, scratch) };
        process.Start();
        return await AttendAsync(process, start, scratch, time, cancel);
    }

    public async Task<T> TalkAsync<T>(ProcessStart start, Func<ProcessTalk, CancellationToken, Task<T>> talk, TimeProvider time, CancellationToken cancel)
    {
        if (!OperatingSystem.IsLinux()) throw new FileNotFoundException("Processes on the host are supported on Linux only.");
        var setsid = Find("setsid") ?? throw new FileNotFoundException("setsid (package util-linux) is not on PATH.");
        var program = Find(start.Program) ?? throw new FileNotFoundException($"{start.Program} is not on PATH.");
        cancel.ThrowIfCancellationRequested();
        using var scratch = new ProcessScratch(_settings.ScratchRoot);
        using var process = new Process { StartInfo = Describe(start, setsid, program, scratch) };
        process.Start();
        var tree = ProcessTree.Of(process.Id, scratch.Root);
        using var stop = new CancellationTokenSource();
        using var drain = new CancellationTokenSource();
        var errors = new ProcessOutput(process.StandardError.BaseStream, start.OutputBytesMax, Passing(start.Output, "stderr", new Lock()));
        var reading = ReadAsync(errors, stop, drain.Token);
        try
        {
            return await talk(new ProcessTalk(process.StandardInput.BaseStream, process.StandardOutput.BaseStream, () => errors.Text), cancel);
        }
        finally
        {
            await tree.EndAsync(_settings.Grace);
            drain.CancelAfter(DrainPatience);
            await reading;
        }
    }

    private async Task<ProcessEnd> AttendAsync(Process process, ProcessStart start, ProcessScratch scratch, TimeProvider time, CancellationToken cancel)
    {
        var tree = ProcessTree.Of(process.Id, scratch.Root);
        using var limit = new CancellationTokenSource(start.TimeLimit, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        using var drain = new CancellationTokenSource();
        var gate = new Lock();
        var stdout = new ProcessOutput(process.StandardOutput.BaseStream, start.OutputBytesMax, Passing(start.Output, "stdout", gate));
        var stderr = new ProcessOutput(process.StandardError.BaseStream, start.OutputBytesMax, Passing(start.Output, "stderr", gate));
        var reading = new[] { ReadAsync(stdout, stop, drain.Token), ReadAsync(stderr, stop, drain.Token) };
        var writing = WriteAsync(process.StandardInput.BaseStream, start.Input, drain.Token);
        var exited = await ExitedAsync(process, stop.Token);
        await tree.EndAsync(_settings.Grace);
        drain.CancelAfter(DrainPatience);
        var complete = await Task.WhenAll(reading);
        await writing;
        cancel.ThrowIfCancellationRequested();
        var ending = complete.Contains(false) ? ProcessEnding.OutputLimit : exited ? ProcessEnding.Exited : ProcessEnding.TimeLimit;
        return new ProcessEnd(ending, process.HasExited ? process.ExitCode : -1, stdout.Text, stderr.Text, await ResultAsync(start, scratch, cancel));
    }

    private static async Task<bool> ExitedAsync(Process process, CancellationToken stop)
    {
        try
        {
            await process.WaitForExitAsync(stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> ReadAsync(ProcessOutput output, CancellationTokenSource stop, CancellationToken drain)
    {
        try
        {
            var complete = await output.ReadAsync(drain);
            if (!complete) await stop.CancelAsync();
            return complete;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // A process that escaped still holds the pipe; what was read counts.
            return true;
        }
        catch
        {
            // Nobody reads any more, so the process would block at its next line.
            await stop.CancelAsync();
            throw;
        }
    }

    private static async Task WriteAsync(Stream stdin, ReadOnlyMemory<byte> input, CancellationToken cancel)
    {
        try
        {
            await using (stdin) await stdin.WriteAsync(input, cancel);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The process does not read its input, or not all of it, which is its right.
        }
    }

    private ProcessStartInfo Describe(ProcessStart start, string setsid, string program, ProcessScratch scratch)
    {
        var info = new ProcessStartInfo(setsid)
        {
            UseShellExecute = false,
            WorkingDirectory = scratch.Work,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.ArgumentList.Add(program);
        foreach (var argument in start.Arguments) info.ArgumentList.Add(argument);
        info.Environment.Clear();
        info.Environment["PATH"] = PathList;
        info.Environment["HOME"] = scratch.Home;
        info.Environment["LANG"] = "C.UTF-8";
        info.Environment["TZ"] = "UTC";
        foreach (var (name, value) in start.Environment) info.Environment[name] = value;
        return info;
    }

    private static async Task<ReadOnlyMemory<byte>?> ResultAsync(ProcessStart start, ProcessScratch scratch, CancellationToken cancel)
    {
        if (start.ResultFile is null) return null;
        var file = new FileInfo(Path.Combine(scratch.Work, Path.GetFileName(start.ResultFile)));
        if (!file.Exists || file.LinkTarget is not null || file.Length > start.OutputBytesMax) return null;
        return await File.ReadAllBytesAsync(file.FullName, cancel);
    }

    private string? Find(string program)
    {
        if (program.StartsWith('/')) return File.Exists(program) ? program : null;
        foreach (var folder in PathList.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var candidate = Path.Combine(folder, program);
            if (File.Exists(candidate) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(candidate) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0)) return candidate;
        }
        return null;
    }

    private static Action<string>? Passing(Action<string, string>? output, string stream, Lock gate) => output is null ? null : text =>
    {
        lock (gate) output(stream, text);
    };

    private static ProcessEnd NotFound(string why) => new(ProcessEnding.NotFound, -1, "", why);
}
