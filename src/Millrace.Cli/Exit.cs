namespace Millrace.Cli;

/// <summary>What the process answers to the shell.</summary>
internal static class Exit
{
    public const int Completed = 0;

    /// <summary>The run faulted.</summary>
    public const int Faulted = 1;

    /// <summary>The command, a document or an input is wrong, or the server refused the request.</summary>
    public const int Refused = 2;

    /// <summary>The run was cancelled.</summary>
    public const int Cancelled = 3;

    /// <summary>The server cannot be reached, or cannot answer now.</summary>
    public const int Unreachable = 4;

    /// <summary>Ctrl+C, as shells count it (128 + SIGINT). Runs go on.</summary>
    public const int Interrupted = 130;
}
