using System.Text;
using Millrace.Jq;
using Spectre.Console;

namespace Millrace.Cli;

/// <summary>Where a command reads and writes, and what that place can show.</summary>
internal sealed class Terminal(TextReader input, TextWriter output, TextWriter error)
{
    public TextReader In { get; } = input;
    public TextWriter Out { get; } = output;
    public TextWriter Error { get; } = error;

    /// <summary>True when <see cref="Out"/> is a screen on which lines can be drawn again.</summary>
    public bool Live { get; init; }

    public bool Colour { get; init; }

    /// <summary>Where bytes go that may be no text; null when there is only <see cref="Out"/>.</summary>
    public Stream? Raw { get; init; }

    public int Height { get; init; } = 40;
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How clients are made for an address; tests put their own server in its place.</summary>
    public Func<Uri, HttpClient> Http { get; init; } = Connect;

    public static Terminal OfProcess()
    {
        var dumb = Environment.GetEnvironmentVariable("TERM") is "dumb" or "" or null;
        var screen = !Console.IsOutputRedirected && !dumb;
        return new Terminal(Console.In, Console.Out, Console.Error)
        {
            Live = screen,
            Raw = Console.OpenStandardOutput(),
            Colour = screen && Environment.GetEnvironmentVariable("NO_COLOR") is null or "",
            Height = screen ? Math.Max(8, Console.WindowHeight) : 40,
        };
    }

    public IAnsiConsole Screen() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Out) });

    public void Line(string text = "") => Out.WriteLine(text);

    /// <summary>Writes bytes as they are.</summary>
    public void Write(byte[] bytes)
    {
        if (Raw is null)
        {
            Out.Write(Encoding.UTF8.GetString(bytes));
            return;
        }
        Out.Flush();
        Raw.Write(bytes);
    }

    public void Note(string text) => Error.WriteLine(text);

    /// <summary>Prints a value for machines: one line, compact.</summary>
    public void Print(Json value) => Out.WriteLine(value.ToString());

    /// <summary>Prints a value for people.</summary>
    public void PrintIndented(Json value) => Out.WriteLine(Encoding.UTF8.GetString(JsonText.ToUtf8(value, indented: true)));

    public string Paint(string text, Ink ink) => Colour ? $"\e[{(int)ink}m{text}\e[0m" : text;

    /// <summary>
    /// Text that came from elsewhere, made harmless for a screen: control characters, which could move the cursor or
    /// hide what is said, become a replacement character.
    /// </summary>
    public static string Clean(string text)
    {
        if (!text.Any(IsUnsafe)) return text;
        return string.Concat(text.Select(c => IsUnsafe(c) ? '\uFFFD' : c));

        // Bidirectional overrides reorder what the eye reads.
        static bool IsUnsafe(char c) => (char.IsControl(c) && c is not ('\n' or '\t')) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
    }

    private static HttpClient Connect(Uri address) => new() { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
}

/// <summary>ANSI colours by meaning.</summary>
internal enum Ink { Strong = 1, Faint = 2, Bad = 31, Good = 32, Warn = 33, Busy = 36 }
