namespace Millrace.Connectors.Processes;

/// <summary>Where shell commands and scripts run: this machine, or a sandbox.</summary>
public interface IProcessPort
{
    /// <summary>
    /// Runs one process to its end. Whatever way it ends, nothing it started is left running and its working folder is gone.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; the process and its descendants have been ended.</exception>
    Task<ProcessEnd> RunAsync(ProcessStart start, TimeProvider time, CancellationToken cancel);

    /// <summary>
    /// Runs one process as long as somebody talks with it; then it is ended as above. <see cref="ProcessStart.Input"/> and its time limit are not used.
    /// </summary>
    /// <exception cref="FileNotFoundException">It was never started: the program is not there; the message says which.</exception>
    Task<T> TalkAsync<T>(ProcessStart start, Func<ProcessTalk, CancellationToken, Task<T>> talk, TimeProvider time, CancellationToken cancel);
}

/// <param name="Input">What the process reads; closing it tells most that they are no longer needed.</param>
/// <param name="Errors">The text it has written to standard error so far, up to the limit.</param>
public sealed record ProcessTalk(Stream Input, Stream Output, Func<string> Errors);

/// <summary>
/// What to run. The working folder is a fresh one that is deleted afterwards; other places are reached by absolute paths.
/// The environment holds PATH, HOME (a fresh folder as well), LANG=C.UTF-8, TZ=UTC and <see cref="Environment"/>, nothing of the server's own.
/// </summary>
public sealed record ProcessStart
{
    /// <summary>Name of a program found on PATH, such as <c>sh</c>.</summary>
    public required string Program { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>Added to the clean environment, or in place of its entries.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Put into the working folder before the start, by plain file name.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>A file of the working folder that is read after a successful end, if it is there.</summary>
    public string? ResultFile { get; init; }

    public required TimeSpan TimeLimit { get; init; }

    /// <summary>Bytes of each output stream, and of the result file.</summary>
    public required long OutputBytesMax { get; init; }

    /// <summary>Gets whole lines (or long pieces of one) as they come: the stream's name, <c>stdout</c> or <c>stderr</c>, and the text. Never called twice at once.</summary>
    public Action<string, string>? Output { get; init; }
}

public enum ProcessEnding : byte
{
    /// <summary>By itself; see <see cref="ProcessEnd.Code"/>.</summary>
    Exited,

    /// <summary>It was never started: the program is not there.</summary>
    NotFound,

    /// <summary>It was ended at its time limit.</summary>
    TimeLimit,

    /// <summary>It was ended when it wrote more than its limit.</summary>
    OutputLimit,
}

/// <param name="Code">Exit code; 128 + n when signal n ended it, as shells count.</param>
/// <param name="Result">Content of the result file, when there is one.</param>
public sealed record ProcessEnd(ProcessEnding Ending, int Code, string Stdout, string Stderr, ReadOnlyMemory<byte>? Result = null)
{
    private static readonly string[] SignalNames =
        ["", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM"];

    /// <summary>The signal that the exit code stands for, such as <c>SIGKILL</c>; null when it stands for none.</summary>
    public string? Signal => Code is > 128 and <= 192 ? Code - 128 < SignalNames.Length ? SignalNames[Code - 128] : $"signal {Code - 128}" : null;
}
