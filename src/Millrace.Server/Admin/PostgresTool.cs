using System.Diagnostics;
using Millrace.Storage.Admin;

namespace Millrace.Server.Admin;

/// <summary>PostgreSQL's own programs, pg_dump and pg_restore. The password goes by the environment, since arguments can be read by others.</summary>
internal sealed class PostgresTool : IDisposable
{
    private readonly Process _process;
    private readonly string _name;
    private readonly List<string> _said = [];

    private PostgresTool(string name, Process process) => (_name, _process) = (name, process);

    /// <exception cref="AdminException">The program is not installed.</exception>
    public static PostgresTool Start(string name, string uri, params string[] arguments)
    {
        var target = new UriBuilder(uri) { Password = "" };
        var start = new ProcessStartInfo(name, [$"--dbname={target.Uri}", "--no-password", .. arguments]) { RedirectStandardError = true };
        if (new Uri(uri).UserInfo.Split(':', 2) is [_, var password]) start.Environment["PGPASSWORD"] = Uri.UnescapeDataString(password);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new AdminException($"{name} is not installed here; it comes with PostgreSQL's client programs.");
        }

        var tool = new PostgresTool(name, process);
        process.ErrorDataReceived += (_, line) => tool.Hear(line.Data);
        process.BeginErrorReadLine();
        return tool;
    }

    /// <param name="meanwhile">Called once a second.</param>
    /// <exception cref="AdminException">The program failed; the message is its own.</exception>
    public void End(Action meanwhile)
    {
        while (!_process.WaitForExit(TimeSpan.FromSeconds(1))) meanwhile();
        _process.WaitForExit();
        if (_process.ExitCode == 0) return;
        lock (_said) throw new AdminException($"{_name} failed: {string.Join('\n', _said)}");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is not null) lock (_said) _said.Add(line);
    }
}
