using System.Text;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Processes;

/// <summary>What <c>run: shell</c> and <c>run: script</c> share: permission, input, environment, and what becomes of the result (dsl-reference.md, Run, Process Result).</summary>
internal sealed class ProcessTask(ProcessSettings settings, IProcessPort port)
{
    private const int DetailCharsMax = 2000;

    public ProcessSettings Settings { get; } = settings.Checked();

    /// <exception cref="Refusal">Processes are not allowed here.</exception>
    public void Permit()
    {
        if (!Settings.Allowed)
            throw Refusal.Configuration("Processes not allowed", "Shell commands and scripts are switched off on this server; its setting for processes has to allow them.");
    }

    /// <summary>Whether a program of that name is found on the PATH that processes get.</summary>
    public bool IsInstalled(string program) => (Settings.Path ?? Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, program)));

    public ProcessStart Start(FunctionContext context, Arguments arguments, string program, IReadOnlyList<string> argv)
    {
        var stdin = arguments["stdin"] switch
        {
            { IsNull: true } => default,
            { StringOrNull: { } text } => Encoding.UTF8.GetBytes(text),
            var other => JsonText.ToUtf8(other),
        };
        if (argv.Any(a => a.Contains('\0', StringComparison.Ordinal))) throw arguments.Invalid("arguments", "holds a zero character, which no process can be given.");
        return Start(program, argv) with
        {
            Input = stdin,
            Environment = EnvironmentOf(arguments),
            Output = (stream, text) => context.Live(stream, text),
        };
    }

    /// <summary>One that is given nothing and shown to nobody.</summary>
    public ProcessStart Start(string program, IReadOnlyList<string> argv) => new()
    {
        Program = program,
        Arguments = argv,
        TimeLimit = Settings.TimeLimit,
        OutputBytesMax = Settings.OutputBytesMax,
    };

    /// <exception cref="Refusal">It was not started, or ended at a limit.</exception>
    public Task<ProcessEnd> RunAsync(ProcessStart start, FunctionContext context, CancellationToken cancel) => RunAsync(start, context.Time, cancel);

    /// <inheritdoc cref="RunAsync(ProcessStart, FunctionContext, CancellationToken)"/>
    public async Task<ProcessEnd> RunAsync(ProcessStart start, TimeProvider time, CancellationToken cancel)
    {
        var bytes = start.Input.Length + start.Arguments.Sum(a => (long)Encoding.UTF8.GetByteCount(a)) + start.Files.Values.Sum(f => (long)f.Length);
        if (bytes > Settings.InputBytesMax)
            throw Refusal.Configuration("Process input too large", $"Standard input, arguments and code have {bytes} bytes together, the limit is {Settings.InputBytesMax}.");
        var end = await port.RunAsync(start, time, cancel);
        return end.Ending switch
        {
            ProcessEnding.NotFound => throw Refusal.Configuration("Program not found", $"{end.Stderr} It has to be installed where processes run."),
            ProcessEnding.TimeLimit => throw new Refusal(new WorkflowError(ErrorTypes.Timeout, 408, "Process timed out",
                $"The process ran longer than {start.TimeLimit:c} and was ended. {Tail(end.Stderr)}".TrimEnd())),
            ProcessEnding.OutputLimit => throw Refusal.Runtime("Process output too large", $"The process wrote more than {start.OutputBytesMax} bytes to one stream and was ended."),
            _ => end,
        };
    }

    /// <summary>Talks with a process instead of running it to its end.</summary>
    /// <exception cref="Refusal">It was not started.</exception>
    public async Task<T> TalkAsync<T>(ProcessStart start, Func<ProcessTalk, CancellationToken, Task<T>> talk, FunctionContext context, CancellationToken cancel)
    {
        try
        {
            return await port.TalkAsync(start, talk, context.Time, cancel);
        }
        catch (FileNotFoundException e)
        {
            throw Refusal.Configuration("Program not found", $"{e.Message} It has to be installed where processes run.");
        }
    }

    /// <summary>
    /// The task's output by <c>return</c>. Line ends at the end of a stream are removed, as the shell's own $(…) does. A process that fails is an
    /// error, except where its code is part of the output.
    /// </summary>
    public static Json OutputOf(ProcessEnd end, Arguments arguments)
    {
        var wanted = arguments.Choice("return", "stdout", "stdout", "stderr", "code", "all", "none");
        var (stdout, stderr) = (end.Stdout.TrimEnd('\n', '\r'), end.Stderr.TrimEnd('\n', '\r'));
        if (wanted == "code") return end.Code;
        if (wanted == "all") return new JsonObject.Builder().Set("code", end.Code).Set("stdout", stdout).Set("stderr", stderr).Build();
        if (end.Code != 0)
        {
            var title = end.Signal is { } signal ? $"Process exited with code {end.Code} ({signal})" : $"Process exited with code {end.Code}";
            throw Refusal.Runtime(title, stderr.Length == 0 ? "It wrote nothing to standard error." : Tail(stderr));
        }
        return wanted switch
        {
            "stdout" => stdout,
            "stderr" => stderr,
            _ => Json.Null,
        };
    }

    private static Dictionary<string, string> EnvironmentOf(Arguments arguments)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.MapOrEmpty("environment"))
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
                throw arguments.Invalid("environment", "has a variable whose name is empty or holds '=' or a zero character.");
            if (value.IsNull) continue;
            var text = value.StringOrNull ?? value.ToString();
            if (text.Contains('\0', StringComparison.Ordinal)) throw arguments.Invalid("environment", $"has a zero character in '{name}'.");
            environment[name] = text;
        }
        return environment;
    }

    private static string Tail(string text) => text.Length <= DetailCharsMax ? text : $"…{text[^DetailCharsMax..]}";
}
