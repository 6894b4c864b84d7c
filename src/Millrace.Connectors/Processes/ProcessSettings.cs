namespace Millrace.Connectors.Processes;

/// <summary>Whether and how processes may be started on this machine.</summary>
public sealed record ProcessSettings
{
    /// <summary>
    /// Processes run with the rights of the server itself, so they are for the embedded shape, where who writes definitions also owns the machine.
    /// </summary>
    public bool Allowed { get; init; }

    /// <summary>A process that runs longer is ended with everything it started.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Between asking a process to end (SIGTERM) and ending it (SIGKILL).</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of standard output, and of standard error, that a process may write at most.</summary>
    public long OutputBytesMax { get; init; } = 16L << 20;

    /// <summary>Bytes of standard input, of code and of arguments together that are handed to a process at most.</summary>
    public long InputBytesMax { get; init; } = 16L << 20;

    /// <summary>Folder in which each process gets its own scratch folder; null: the system's folder for temporary files.</summary>
    public string? ScratchRoot { get; init; }

    /// <summary>What PATH holds for processes; null: what it holds for the server.</summary>
    public string? Path { get; init; }

    /// <exception cref="ArgumentException">A limit is not positive.</exception>
    internal ProcessSettings Checked()
    {
        if (TimeLimit <= TimeSpan.Zero || Grace < TimeSpan.Zero || OutputBytesMax <= 0 || InputBytesMax <= 0 || OutputBytesMax > 1 << 30)
            throw new ArgumentException("The limits of ProcessSettings have to be positive, and OutputBytesMax 1 GiB at most.");
        return this;
    }
}
