using System.Diagnostics;
using System.Globalization;

namespace Millrace.Storage.Tests.Child;

/// <summary>A <see cref="WritingChild"/> or <see cref="BlobChild"/> in a process of its own, perhaps under another program.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public List<string> Lines { get; } = [];

    public List<long> Acknowledged =>
        [.. Lines.Where(l => l.StartsWith("ack ", StringComparison.Ordinal)).Select(l => long.Parse(l[4..], CultureInfo.InvariantCulture))];

    /// <param name="under">A program and its arguments that starts the child, or nothing.</param>
    public static ChildProcess StartRows(string database, int checkpointPages, params string[] under) =>
        Start(under, "rows", database, checkpointPages.ToString(CultureInfo.InvariantCulture));

    /// <param name="under">A program and its arguments that starts the child, or nothing.</param>
    public static ChildProcess StartBlobs(string folder, params string[] under) => Start(under, "blobs", folder);

    /// <summary>Reads what it says until <paramref name="enough"/> or until it has ended.</summary>
    public async Task ListenAsync(Func<bool> enough)
    {
        while (!enough() && await _process.StandardOutput.ReadLineAsync() is { } line) Lines.Add(line);
    }

    /// <summary>Ends it as a power cut would, as far as a process can be; what it has said until then is heard to the end.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ListenAsync(() => false);
        await _process.WaitForExitAsync();

        // The last line may be cut off in the middle of its number; then nothing was acknowledged by it.
        if (Lines.Count > 0) Lines.RemoveAt(Lines.Count - 1);
    }

    public async Task<int> EndAsync()
    {
        await ListenAsync(() => false);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static ChildProcess Start(string[] under, params string[] arguments)
    {
        string[] command = [.. under, Path.Combine(AppContext.BaseDirectory, "Millrace.Storage.Tests"), "child", .. arguments];
        return new ChildProcess(Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!);
    }
}
