using System.Runtime.Versioning;
using Millrace.Connectors.Processes;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class ScriptTests : IDisposable
{
    private readonly FakeFunctionContext _context = new();
    private readonly ConnectorFunctions _functions = ConnectorFunctions.Create(new ConnectorSettings { Process = new ProcessSettings { Allowed = true } }, (_, _) => ValueTask.CompletedTask);

    [Fact]
    public async Task A_js_module_reads_stdin_arguments_and_environment()
    {
        var output = await Run("js", """
            import { readFileSync } from 'node:fs';
            const [_, __, arg] = process.argv;
            console.log(readFileSync(process.stdin.fd, 'utf8'), arg, process.env.foo);
            """, [new("stdin", "Hello Workflow"), new("arguments", Json.Array("hello")), new("environment", Json.Object("foo", "bar"))]);
        Assert.Equal("Hello Workflow hello bar", output.AsString());
    }

    [Fact]
    public async Task A_python_script_reads_stdin_arguments_and_environment()
    {
        var output = await Run("python", "import sys, os\nprint(sys.stdin.read(), sys.argv[1], os.environ['foo'])",
            [new("stdin", "Hello"), new("arguments", Json.Array("hello")), new("environment", Json.Object("foo", "bar"))]);
        Assert.Equal("Hello hello bar", output.AsString());
    }

    [Theory]
    [InlineData("return { isValid: /@/.test(emailAddress) };", """{"isValid":true}""")]
    [InlineData("console.log(emailAddress)", "\"a@b\"")]
    [InlineData("import path from 'node:path';\nconsole.log(path.join('x', emailAddress))", "\"x/a@b\"")]
    [InlineData("return await Promise.resolve(null) // nothing", "null")]
    public async Task Named_arguments_are_variables_of_a_js_script_which_may_return(string code, string expected) =>
        Assert.Equal(expected, (await Run("js", code, [new("arguments", Json.Object("emailAddress", "a@b"))])).ToString());

    [Fact]
    public async Task Named_arguments_are_variables_of_a_python_script()
    {
        var output = await Run("python", "import json\nprint(json.dumps([who, n + 1, __name__]))", [new("arguments", Json.Object("who", "mill", "n", 2))]);
        Assert.Equal("""["mill", 3, "__main__"]""", output.AsString());
    }

    [Fact]
    public async Task Return_all_keeps_the_processes_own_output()
    {
        var output = await Run("js", "console.log('said'); return 5", [new("arguments", Json.EmptyObject), new("return", "all")]);
        Assert.Equal("""{"code":0,"stdout":"said","stderr":""}""", output.ToString());
    }

    [Theory]
    [InlineData("js", "\nthrow new Error('bad grain')", "bad grain")]
    [InlineData("js", "\nfoo bar", "script.mjs:2")]
    [InlineData("python", "\nraise ValueError('bad grain')", "line 2")]
    public async Task A_script_that_fails_is_a_runtime_error_that_names_the_authors_line(string language, string code, string detail)
    {
        var error = await Error(language, code);
        Assert.Equal((ErrorTypes.Runtime, "Process exited with code 1"), (error.Type, error.Title));
        Assert.Contains(detail, error.Detail);
    }

    [Fact]
    public async Task Lines_of_a_wrapped_script_stay_those_of_the_author() =>
        Assert.Contains("script.mjs:3", (await Error("js", "\n\nnull.x", [new("arguments", Json.Object("a", 1))])).Detail);

    [Theory]
    [InlineData("js", "not-a-name")]
    [InlineData("js", "a}; process.exit(9); ({")]
    [InlineData("python", "1a")]
    public async Task A_named_argument_that_is_no_identifier_is_refused(string language, string name)
    {
        var error = await Error(language, "", [new("arguments", Json.Object(name, 1))]);
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains("/arguments/", error.Detail);
    }

    [Fact]
    public async Task A_missing_interpreter_is_named()
    {
        var empty = Directory.CreateTempSubdirectory("millrace-test-");
        File.CreateSymbolicLink(Path.Combine(empty.FullName, "setsid"), "/usr/bin/setsid");
        using var functions = ConnectorFunctions.Create(new ConnectorSettings { Process = new ProcessSettings { Allowed = true, Path = empty.FullName } }, (_, _) => ValueTask.CompletedTask);
        var error = await functions.Find("script").ErrorAsync(_context, """{"language": "js", "code": "1"}""");
        empty.Delete(recursive: true);
        Assert.Equal((ErrorTypes.Configuration, "Program not found"), (error.Type, error.Title));
        Assert.Contains("node is not on PATH", error.Detail);
    }

    [Fact]
    public async Task An_interpreter_that_is_too_old_is_named()
    {
        var folder = Directory.CreateTempSubdirectory("millrace-test-");
        File.WriteAllText(Path.Combine(folder.FullName, "node"), "#!/bin/sh\necho v18.19.0\n");
        File.SetUnixFileMode(Path.Combine(folder.FullName, "node"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using var functions = ConnectorFunctions.Create(new ConnectorSettings { Process = new ProcessSettings { Allowed = true, Path = $"{folder.FullName}:/usr/bin:/bin" } }, (_, _) => ValueTask.CompletedTask);
        var error = await functions.Find("script").ErrorAsync(_context, """{"language": "js", "code": "1"}""");
        folder.Delete(recursive: true);
        Assert.Contains("Node.js 20 or later on PATH; found v18.19.0", error.Detail);
    }

    [Fact]
    public async Task Code_comes_from_a_source()
    {
        await using var files = await Millrace.Tests.Doubles.HttpbinDouble.StartAsync();
        var output = await _functions.Find("script").ErrorAsync(_context, $$$"""{"language": "python", "source": {"endpoint": "{{{files.Base}}}robots.txt"}}""");
        Assert.Contains("User-agent: *", output.Detail);
    }

    [Fact]
    public async Task Code_comes_from_a_file_of_this_machine()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "print('from a file')");
            Assert.Equal("from a file", (await _functions.Find("script").OutputAsync(_context, $$$"""{"language": "python", "source": {"endpoint": "file://{{{file}}}"}}""")).AsString().TrimEnd());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_told_as_such()
    {
        var error = await _functions.Find("script").ErrorAsync(_context, """{"language": "python", "source": {"endpoint": "file:///nowhere/code.py"}}""");
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains("there is no such file", error.Detail);
    }

    [Theory]
    [InlineData("""{"language": "ruby", "code": "1"}""", "/language")]
    [InlineData("""{"language": "js"}""", "/code")]
    [InlineData("""{"language": "js", "source": {"endpoint": "file://elsewhere/code.js"}}""", "/source/endpoint")]
    [InlineData("""{"language": "js", "source": {"endpoint": "ftp://files.example/code.js"}}""", "/source/endpoint")]
    public async Task Wrong_arguments_are_refused_with_their_place(string arguments, string place)
    {
        var error = await _functions.Find("script").ErrorAsync(_context, arguments);
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(place, error.Detail);
    }

    public void Dispose() => _functions.Dispose();

    private Task<Json> Run(string language, string code, params KeyValuePair<string, Json>[] more) =>
        _functions.Find("script").OutputAsync(_context, Arguments(language, code, more));

    private Task<WorkflowError> Error(string language, string code, params KeyValuePair<string, Json>[] more) =>
        _functions.Find("script").ErrorAsync(_context, Arguments(language, code, more));

    private static string Arguments(string language, string code, KeyValuePair<string, Json>[] more) =>
        Json.Of(JsonObject.Of([new("language", language), new("code", code), .. more])).ToString();
}
