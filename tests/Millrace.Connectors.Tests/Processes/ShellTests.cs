using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Processes;

public sealed class ShellTests : IDisposable
{
    private readonly FakeFunctionContext _context = new();
    private readonly string _root = Directory.CreateTempSubdirectory("millrace-test-").FullName;
    private readonly List<ConnectorFunctions> _created = [];

    private IFunction Shell => With(new ProcessSettings { Allowed = true });

    [Theory]
    [InlineData("printf 'a\\nb\\n\\n'", "", "\"a\\nb\"")]
    [InlineData("printf '  a'; echo err >&2", "", "\"  a\"")]
    [InlineData("echo out; echo err >&2", "stderr", "\"err\"")]
    [InlineData("echo out; exit 3", "code", "3")]
    [InlineData("echo out; echo err >&2; exit 3", "all", """{"code":3,"stdout":"out","stderr":"err"}""")]
    [InlineData("echo out", "none", "null")]
    public async Task The_output_is_what_return_asks_for(string command, string wanted, string expected)
    {
        var output = await Shell.OutputAsync(_context, Arguments(command, wanted.Length == 0 ? [] : [new("return", wanted)]));
        Assert.Equal(expected, output.ToString());
    }

    [Fact]
    public async Task Arguments_and_stdin_reach_the_command()
    {
        var output = await Shell.OutputAsync(_context, Arguments("input=$(cat)\necho \"STDIN was: $input\"\necho \"ARGS are $1 $2, $#\"",
            [new("stdin", "Hello World"), new("arguments", Json.Array("Foo", "Bar; rm -rf /"))]));
        Assert.Equal("STDIN was: Hello World\nARGS are Foo Bar; rm -rf /, 2", output.AsString());
    }

    [Fact]
    public async Task Stdin_that_is_no_string_comes_as_json() =>
        Assert.Equal("""{"a":[1]}""", (await Shell.OutputAsync(_context, Arguments("cat", [new("stdin", Json.Object("a", Json.Array(1)))]))).AsString());

    [Fact]
    public async Task Stdin_larger_than_a_pipe_that_nobody_reads_does_no_harm() =>
        Assert.Equal("done", (await Shell.OutputAsync(_context, Arguments("echo done", [new("stdin", new string('x', 1 << 20))]))).AsString());

    [Fact]
    public async Task Output_larger_than_a_pipe_comes_whole() =>
        Assert.Equal(500_000, (await Shell.OutputAsync(_context, Arguments("head -c 500000 /dev/zero | tr '\\0' x"))).AsString().Length);

    [Fact]
    public async Task The_environment_holds_only_what_it_should()
    {
        Environment.SetEnvironmentVariable("MILLRACE_TEST_SECRET", "must-not-leak");
        var output = await Shell.OutputAsync(_context, Arguments("env -u PWD -u OLDPWD -u _ -u SHLVL | cut -d= -f1 | sort | tr '\\n' ' '", [new("environment", Json.Object("MINE", 1))]));
        Assert.Equal("HOME LANG MINE PATH TZ ", output.AsString());
    }

    [Fact]
    public async Task Home_and_the_working_folder_are_fresh_private_and_gone_afterwards()
    {
        var output = await Shell.OutputAsync(_context, Arguments("touch a; echo \"$HOME\"; pwd; ls -A \"$HOME\" | wc -l; stat -c %a ."));
        var lines = output.AsString().Split('\n');
        Assert.StartsWith(_root, lines[0], StringComparison.Ordinal);
        Assert.StartsWith(_root, lines[1], StringComparison.Ordinal);
        Assert.Equal(("0", "700"), (lines[2].Trim(), lines[3]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Theory]
    [InlineData("echo no >&2; exit 7", "Process exited with code 7", "no")]
    [InlineData("exit 1", "Process exited with code 1", "It wrote nothing to standard error.")]
    [InlineData("kill -9 $$", "Process exited with code 137 (SIGKILL)", "It wrote nothing to standard error.")]
    public async Task A_command_that_fails_is_a_runtime_error(string command, string title, string detail)
    {
        var error = await Shell.ErrorAsync(_context, Arguments(command));
        Assert.Equal((ErrorTypes.Runtime, 500, title, detail), (error.Type, error.Status, error.Title, error.Detail));
    }

    [Fact]
    public async Task Lines_are_shown_live_as_they_come()
    {
        var go = Path.Combine(_root, "go");
        var shown = new List<string>();
        _context.OnLive = (channel, data) =>
        {
            shown.Add($"{channel} {data.AsString()}");
            // The command goes on only when its first line has been shown.
            File.WriteAllText(go, "");
        };
        await Shell.OutputAsync(_context, Arguments($"echo one; while [ ! -e {go} ]; do sleep 0.01; done; printf two"));
        Assert.Equal(["stdout one\n", "stdout two"], shown);
    }

    [Fact]
    public async Task Processes_are_refused_unless_they_are_allowed()
    {
        var error = await With(new ProcessSettings()).ErrorAsync(_context, Arguments("echo hi"));
        Assert.Equal((ErrorTypes.Configuration, "Processes not allowed"), (error.Type, error.Title));
    }

    [Fact]
    public async Task More_output_than_the_limit_ends_the_process()
    {
        var error = await With(new ProcessSettings { Allowed = true, OutputBytesMax = 100_000 }).ErrorAsync(_context, Arguments("yes", [new("return", "all")]));
        Assert.Equal((ErrorTypes.Runtime, "Process output too large"), (error.Type, error.Title));
    }

    [Fact]
    public async Task More_input_than_the_limit_is_refused() =>
        Assert.Equal("Process input too large", (await With(new ProcessSettings { Allowed = true, InputBytesMax = 10 }).ErrorAsync(_context, Arguments("echo 12345678"))).Title);

    [Fact]
    public async Task A_program_that_is_not_there_is_named()
    {
        var error = await With(new ProcessSettings { Allowed = true, Path = _root }).ErrorAsync(_context, Arguments("echo hi"));
        Assert.Equal((ErrorTypes.Configuration, "Program not found"), (error.Type, error.Title));
        Assert.Contains("setsid (package util-linux)", error.Detail);
    }

    [Theory]
    [InlineData("""{"command": "echo", "arguments": {"a": 1}}""", "/arguments")]
    [InlineData("""{"command": "echo", "arguments": [{}]}""", "/arguments/0")]
    [InlineData("""{"command": "echo", "environment": {"A=B": 1}}""", "/environment")]
    [InlineData("""{"command": "echo", "return": "everything"}""", "/return")]
    [InlineData("""{"arguments": []}""", "/command")]
    public async Task Wrong_arguments_are_refused_with_their_place(string arguments, string place)
    {
        var error = await Shell.ErrorAsync(_context, arguments);
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(place, error.Detail);
    }

    [Fact]
    public void It_is_not_repeated_when_its_outcome_is_lost() => Assert.Equal(Idempotency.Once, Shell.Descriptor.Idempotency);

    public void Dispose()
    {
        foreach (var functions in _created) functions.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private static string Arguments(string command, params KeyValuePair<string, Json>[] more) =>
        Json.Of(JsonObject.Of([new("command", command), .. more])).ToString();

    private IFunction With(ProcessSettings settings)
    {
        var functions = ConnectorFunctions.Create(new ConnectorSettings { Process = settings with { ScratchRoot = _root } }, (_, _) => ValueTask.CompletedTask);
        _created.Add(functions);
        return functions.Find("shell");
    }
}
