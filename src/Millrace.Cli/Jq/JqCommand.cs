using System.Collections;
using System.Text;
using Millrace.Jq;
using Millrace.Jq.Builtins;
using Millrace.Jq.Text;

namespace Millrace.Cli.Jq;

/// <summary>
/// <c>millrace jq</c>: takes the options of jq 1.8 except those for modules, streams and record separators, and ends with
/// its exit codes: 2 for wrong usage or input, 3 for a filter that does not compile, 5 for an error of the filter; with
/// <c>-e</c> 1 when the last output is false or null, 4 when there is none. Limits apply and can be raised.
/// </summary>
internal static class JqCommand
{
    private const int Usage = 2;
    private const int NotCompiled = 3;
    private const int NoOutput = 4;
    private const int Failed = 5;

    private const string Help = """
        Usage:  millrace jq [options] FILTER [FILE...]
                millrace jq [options] -f FILE [FILE...]
                millrace jq --run-tests [FILE]

          -n  null input      -R  raw input     -s  slurp          -r  raw output    -j  join output  -a  ASCII output
          -c  compact         -S  sort keys     -e  exit status    -C, -M  accepted  --tab            --indent N
          --arg NAME TEXT     --argjson NAME JSON     --slurpfile NAME FILE     --rawfile NAME FILE
          --args TEXT...      --jsonargs JSON...      --raw-output0
          --max-steps N       --max-depth N           --max-bytes N             --regex-timeout MS

        """;

    /// <param name="args">What follows <c>jq</c> on the command line.</param>
    /// <param name="stdin">Read when no files are named.</param>
    /// <param name="stdout">Takes the outputs.</param>
    /// <param name="stderr">Takes errors, and what <c>debug</c> and <c>stderr</c> pass on.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args, Stream stdin, Stream stdout, Stream stderr)
    {
        void Say(string text) => stderr.Write(Encoding.UTF8.GetBytes(text));
        JqArguments? arguments = null;
        try
        {
            arguments = JqArguments.Parse(args);
            if (arguments.Help) stdout.Write(Encoding.UTF8.GetBytes(Help));
            else if (arguments.Version) stdout.Write("jq-1.8 (millrace)\n"u8);
            else if (arguments.RunsTests) return RunTests(arguments, stdin, stdout);
            else return RunFilter(arguments, stdin, stdout, stderr);
            return 0;
        }
        catch (JqUsageException e)
        {
            Say($"jq: error: {e.Message}\n{Help}");
            return Usage;
        }
        catch (JqCompileException e)
        {
            Say($"{JqErrorText.Of(e, arguments!.Filter ?? Encoding.UTF8.GetString(JqInputs.ReadFile(arguments.FilterFile!)))}\njq: 1 compile error\n");
            return NotCompiled;
        }
        catch (JsonTextException e)
        {
            Say($"jq: error (at <stdin>): {e.Message.TrimEnd('.')} at line {e.Line}, column {e.Column}\n");
            return Usage;
        }
        catch (IOException e)
        {
            Say($"jq: error: {e.Message}\n");
            return Usage;
        }
        finally
        {
            stdout.Flush();
            stderr.Flush();
        }
    }

    private static int RunFilter(JqArguments arguments, Stream stdin, Stream stdout, Stream stderr)
    {
        var source = arguments.Filter;
        if (arguments.FilterFile is { } file) source = Encoding.UTF8.GetString(JqInputs.ReadFile(file));
        if (source is null) throw new JqUsageException("No filter was given");
        var variables = arguments.Variables;
        var program = JqProgram.Compile(source, [.. variables.Select(v => v.Key)]);
        Json[] values = [.. program.Variables.Select(name => variables.TryGet(name, out var value) ? value : default)];
        var inputs = new JqInputs(arguments, stdin);
        var options = new JqOptions
        {
            Limits = arguments.Limits,
            Now = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds,
            Environment = Environment(),
            LocalTimeZone = TimeZoneInfo.Local,
            NextInput = inputs.Next,
            MayHalt = true,
            Messages = (kind, value) => stderr.Write(Encoding.UTF8.GetBytes(kind == "debug"
                ? $"[\"DEBUG:\",{value}]\n"
                : value.StringOrNull ?? value.ToString())),
        };
        var run = new FilterRun(arguments, program, values, options, inputs, stdout, stderr);
        return run.All();
    }

    private static Json Environment()
    {
        var members = new JsonObject.Builder();
        foreach (DictionaryEntry variable in System.Environment.GetEnvironmentVariables()) members.Set((string)variable.Key, (string?)variable.Value);
        return members.Build();
    }

    private static int RunTests(JqArguments arguments, Stream stdin, Stream stdout)
    {
        using var reader = arguments.TestFile is { } file ? new StreamReader(new MemoryStream(JqInputs.ReadFile(file))) : new StreamReader(stdin);
        using var writer = new StreamWriter(stdout, new UTF8Encoding(false), leaveOpen: true);
        int count = 0, passed = 0, skipped = 0;
        foreach (var test in JqTestFile.Read(reader))
        {
            count++;
            writer.WriteLine($"Test #{count}: '{test.Program}' at line number {test.Line}");
            if (test.NeedsModules)
            {
                skipped++;
                writer.WriteLine("Skipped: modules are not supported");
                continue;
            }
            if (test.Run() is { } wrong) writer.WriteLine($"*** {wrong}");
            else passed++;
        }
        writer.WriteLine($"{passed} of {count} tests passed (0 malformed, {skipped} skipped)");
        return passed + skipped == count ? 0 : 1;
    }

    private sealed class FilterRun(
        JqArguments arguments, JqProgram program, Json[] values, JqOptions options, JqInputs inputs, Stream stdout, Stream stderr)
    {
        private readonly JsonWriter _writer = new(arguments.Layout);
        private Json? _last;
        private int _code;

        public int All()
        {
            try
            {
                if (arguments.NullInput) One(default);
                else
                    while (inputs.Next() is { } input) One(input);
            }
            catch (JqHalt halt)
            {
                if (halt.Value.StringOrNull is { } text) Say(text);
                else if (halt.Code != 0) Say($"{halt.Value}\n");
                return halt.Code;
            }
            if (_code != 0 || !arguments.ExitStatus) return _code;
            return _last is not { } last ? NoOutput : last.IsTruthy ? 0 : 1;
        }

        private void One(Json input)
        {
            try
            {
                foreach (var output in program.Evaluate(input, values, options with { InputFilename = inputs.Filename })) Write(output);
            }
            catch (JqException e)
            {
                Say($"jq: error (at {inputs.Filename.StringOrNull ?? "<stdin>"}){(e.Value.IsString ? ": " : " ")}{e.Message}\n");
                _code = Failed;
            }
            catch (JqLimitException e)
            {
                Say($"jq: error (at {inputs.Filename.StringOrNull ?? "<stdin>"}): {e.Code}: {e.Message}\n");
                _code = Failed;
            }
        }

        private void Write(Json output)
        {
            _last = output;
            if (arguments.Raw && output.StringOrNull is { } text && !arguments.Layout.Ascii)
            {
                stdout.Write(Encoding.UTF8.GetBytes(text));
            }
            else if (arguments.Raw && output.StringOrNull is not null)
            {
                _writer.Clear();
                _writer.Write(output);
                stdout.Write(_writer.Written[1..^1]);
            }
            else
            {
                _writer.Clear();
                _writer.Write(output);
                stdout.Write(_writer.Written);
            }
            if (arguments.RawZero) stdout.WriteByte(0);
            else if (!arguments.Join) stdout.WriteByte((byte)'\n');
        }

        private void Say(string text) => stderr.Write(Encoding.UTF8.GetBytes(text));
    }
}
