using System.Globalization;
using Millrace.Jq;
using Millrace.Jq.Text;

namespace Millrace.Cli.Jq;

/// <summary>The jq command was called in a way it does not know.</summary>
internal sealed class JqUsageException(string message) : Exception(message);

/// <summary>What the jq command was asked to do (jq 1.8 manual, "Invoking jq").</summary>
internal sealed class JqArguments
{
    private readonly JsonObject.Builder _named = new();
    private readonly List<Json> _positional = [];

    public string? Filter { get; private set; }
    public string? FilterFile { get; private set; }
    public string? TestFile { get; private set; }
    public bool RunsTests { get; private set; }
    public List<string> Files { get; } = [];
    public bool NullInput { get; private set; }
    public bool RawInput { get; private set; }
    public bool Slurp { get; private set; }
    public bool Raw { get; private set; }
    public bool Join { get; private set; }
    public bool RawZero { get; private set; }
    public bool ExitStatus { get; private set; }
    public bool Help { get; private set; }
    public bool Version { get; private set; }
    public JsonLayout Layout { get; private set; } = JsonLayout.Indented;
    public JqLimits Limits { get; private set; } = JqLimits.Default;

    /// <summary>The filter's variables by name: those of <c>--arg</c> and its like, and <c>ARGS</c>.</summary>
    public JsonObject Variables
    {
        get
        {
            var named = _named.Build();
            var all = Json.Object("positional", JsonArray.Of(_positional), "named", named);
            return named.Has("ARGS") ? named : named.With("ARGS", all);
        }
    }

    /// <exception cref="JqUsageException">An option is unknown or lacks its value.</exception>
    public static JqArguments Parse(string[] args)
    {
        var parsed = new JqArguments();
        parsed.Read(args);
        return parsed;
    }

    private enum Rest { Files, Texts, Values }

    private void Read(string[] args)
    {
        var rest = Rest.Files;
        var options = true;
        for (var i = 0; i < args.Length; i++)
        {
            var arg = args[i];
            if (options && arg == "--")
            {
                options = false;
            }
            else if (options && arg is "--args" or "--jsonargs")
            {
                rest = arg == "--args" ? Rest.Texts : Rest.Values;
            }
            else if (options && arg.StartsWith("--", StringComparison.Ordinal))
            {
                ReadLong(args, ref i);
            }
            else if (options && arg.Length > 1 && arg[0] == '-')
            {
                foreach (var letter in arg.AsSpan(1)) ReadShort(letter, args, ref i);
            }
            else if (Filter is null && FilterFile is null && !RunsTests)
            {
                Filter = arg;
            }
            else if (rest == Rest.Files)
            {
                Files.Add(arg);
            }
            else
            {
                _positional.Add(rest == Rest.Texts ? arg : ParseValue(arg, "--jsonargs"));
            }
        }
        // With -f the first positional argument is a file like the others.
        if (FilterFile is not null && Filter is { } first)
        {
            Files.Insert(0, first);
            Filter = null;
        }
    }

    private void ReadShort(char letter, string[] args, ref int at)
    {
        switch (letter)
        {
            case 'n': NullInput = true; break;
            case 'r': Raw = true; break;
            case 'j': Raw = Join = true; break;
            case 'a': Layout = Layout with { Ascii = true }; break;
            case 'c': Layout = Layout with { Indent = 0, Tabs = false }; break;
            case 's': Slurp = true; break;
            case 'S': Layout = Layout with { SortKeys = true }; break;
            case 'e': ExitStatus = true; break;
            case 'R': RawInput = true; break;
            case 'f': FilterFile = Value(args, ref at, "-f"); break;
            case 'C' or 'M' or 'b': break;
            case 'h': Help = true; break;
            case 'V': Version = true; break;
            default: throw new JqUsageException($"Unknown option: -{letter}");
        }
    }

    private void ReadLong(string[] args, ref int at)
    {
        var option = args[at];
        switch (option)
        {
            case "--null-input": NullInput = true; break;
            case "--raw-output": Raw = true; break;
            case "--join-output": Raw = Join = true; break;
            case "--raw-output0": Raw = RawZero = true; break;
            case "--ascii-output": Layout = Layout with { Ascii = true }; break;
            case "--compact-output": Layout = Layout with { Indent = 0, Tabs = false }; break;
            case "--slurp": Slurp = true; break;
            case "--sort-keys": Layout = Layout with { SortKeys = true }; break;
            case "--exit-status": ExitStatus = true; break;
            case "--raw-input": RawInput = true; break;
            case "--from-file": FilterFile = Value(args, ref at, option); break;
            case "--color-output" or "--monochrome-output" or "--binary" or "--unbuffered": break;
            case "--tab": Layout = Layout with { Tabs = true }; break;
            case "--indent": Layout = Layout with { Indent = Indent(Value(args, ref at, option)), Tabs = false }; break;
            case "--help": Help = true; break;
            case "--version": Version = true; break;
            case "--run-tests":
                RunsTests = true;
                if (at + 1 < args.Length) TestFile = args[++at];
                break;
            default: ReadVariable(args, ref at); break;
        }
    }

    private void ReadVariable(string[] args, ref int at)
    {
        var option = args[at];
        switch (option)
        {
            case "--arg": Name(Value(args, ref at, option), Value(args, ref at, option)); break;
            case "--argjson":
                var name = Value(args, ref at, option);
                Name(name, ParseValue(Value(args, ref at, option), $"--argjson {name}"));
                break;
            case "--slurpfile":
                Name(Value(args, ref at, option), JsonArray.Of(JqInputs.ParseAll(JqInputs.ReadFile(Value(args, ref at, option))).ToList()));
                break;
            case "--rawfile":
                Name(Value(args, ref at, option), System.Text.Encoding.UTF8.GetString(JqInputs.ReadFile(Value(args, ref at, option))));
                break;
            case "--max-steps": Limits = Limits with { StepsMax = Count(Value(args, ref at, option), option) }; break;
            case "--max-depth": Limits = Limits with { DepthMax = (int)Math.Min(int.MaxValue, Count(Value(args, ref at, option), option)) }; break;
            case "--max-bytes": Limits = Limits with { OutputBytesMax = Count(Value(args, ref at, option), option) }; break;
            case "--regex-timeout":
                Limits = Limits with { RegexTimeout = TimeSpan.FromMilliseconds(Math.Min(int.MaxValue - 1, Count(Value(args, ref at, option), option))) };
                break;
            case "--stream" or "--stream-errors" or "--seq" or "-L" or "--library-path":
                throw new JqUsageException($"{option} is not supported");
            default: throw new JqUsageException($"Unknown option: {option}");
        }
    }

    private void Name(string name, Json value)
    {
        if (!_named.Build().Has(name)) _named.Set(name, value);
    }

    private static string Value(string[] args, ref int at, string option) =>
        ++at < args.Length ? args[at] : throw new JqUsageException($"{option} lacks an argument");

    private static Json ParseValue(string text, string option) =>
        LenientJson.Parse(text, out _) ?? throw new JqUsageException($"Invalid JSON text passed to {option}: {text}");

    private static int Indent(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var width) && width <= 7
        ? width
        : throw new JqUsageException("--indent takes a number from 0 to 7");

    private static long Count(string text, string option) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
        ? count
        : throw new JqUsageException($"{option} takes a number above zero");
}
