using System.Text;
using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>
/// A JSON value of the document in which strings may hold runtime expressions: <c>${ .a }</c> alone gives the value
/// itself, text around it (<c>Hello ${ .name }</c>) gives a string.
/// </summary>
public abstract class Template
{
    private static readonly Template NullTemplate = new Constant(Json.Null);

    /// <summary>The value when no part of it is an expression.</summary>
    public virtual Json? ConstantValue => null;

    /// <summary>Names of the variables that any part reads.</summary>
    public virtual IEnumerable<string> Variables => [];

    /// <exception cref="JqException">A filter raised an error.</exception>
    /// <exception cref="JqLimitException">A limit was reached.</exception>
    public abstract Json Evaluate(Json input, IVariables variables);

    public static Template Of(Json constant) => constant.IsNull ? NullTemplate : new Constant(constant);

    public static Template Of(Expression expression) => new Whole(expression);

    /// <summary>Compiles the expressions inside <paramref name="value"/>.</summary>
    /// <param name="pointer">JSON pointer of the value in the document.</param>
    /// <param name="failed">Called with the pointer of each expression that does not compile; such a part becomes null.</param>
    public static Template Compile(Json value, IReadOnlyList<string> scope, string pointer, Action<string, JqCompileException> failed)
    {
        switch (value.Kind)
        {
            case JsonKind.String:
                return CompileText(value.AsString(), scope, pointer, failed);
            case JsonKind.Array:
            {
                var items = new Template[value.AsArray().Count];
                for (var i = 0; i < items.Length; i++) items[i] = Compile(value[i], scope, $"{pointer}/{i}", failed);
                return System.Array.TrueForAll(items, i => i.ConstantValue is not null) ? Of(value) : new Items(items);
            }
            case JsonKind.Object:
            {
                var members = new List<KeyValuePair<string, Template>>();
                foreach (var (key, member) in value.AsObject().Members)
                    members.Add(new(key, Compile(member, scope, $"{pointer}/{key.Replace("~", "~0").Replace("/", "~1")}", failed)));
                return members.TrueForAll(m => m.Value.ConstantValue is not null) ? Of(value) : new Members([.. members]);
            }
            default:
                return Of(value);
        }
    }

    /// <summary>Index of the brace that closes the one opened just before <paramref name="from"/>, skipping jq strings; -1 when none does.</summary>
    internal static int ClosingBrace(ReadOnlySpan<char> text, int from)
    {
        // Each entry is a construct to return to: '{' a brace, '(' a parenthesis, '"' a string.
        var open = new Stack<char>();
        for (var i = from; i < text.Length; i++)
        {
            var c = text[i];
            if (open.TryPeek(out var top) && top == '"')
            {
                if (c == '"') open.Pop();
                else if (c == '\\' && ++i < text.Length && text[i] == '(') open.Push('(');
                continue;
            }
            switch (c)
            {
                case '"': open.Push('"'); break;
                case '(' or '{': open.Push(c); break;
                case ')' when top == '(': open.Pop(); break;
                case '}' when open.Count == 0: return i;
                case '}' when top == '{': open.Pop(); break;
            }
        }
        return -1;
    }

    private static Template CompileText(string text, IReadOnlyList<string> scope, string pointer, Action<string, JqCompileException> failed)
    {
        if (!text.Contains("${", StringComparison.Ordinal)) return Of(text);
        try
        {
            if (Expression.IsEnclosed(text)) return new Whole(Expression.Compile(text, scope, pointer));
            var parts = new List<Template>();
            for (var at = 0; at < text.Length;)
            {
                var start = text.IndexOf("${", at, StringComparison.Ordinal);
                var end = start < 0 ? -1 : ClosingBrace(text, start + 2);
                if (start >= 0 && end < 0) throw new JqCompileException("The expression opened by '${' is not closed.", 1, start + 1);
                if (start != at) parts.Add(Of(start < 0 ? text[at..] : text[at..start]));
                if (start < 0) break;
                parts.Add(new Whole(Expression.Compile(text[start..(end + 1)], scope, pointer)));
                at = end + 1;
            }
            return new Text([.. parts]);
        }
        catch (JqCompileException e)
        {
            failed(pointer, e);
            return NullTemplate;
        }
    }

    private sealed class Constant(Json value) : Template
    {
        public override Json? ConstantValue => value;
        public override Json Evaluate(Json input, IVariables variables) => value;
    }

    private sealed class Whole(Expression expression) : Template
    {
        public override IEnumerable<string> Variables => expression.Variables;
        public override Json Evaluate(Json input, IVariables variables) => expression.Evaluate(input, variables);
    }

    private sealed class Text(Template[] parts) : Template
    {
        public override IEnumerable<string> Variables => parts.SelectMany(p => p.Variables);

        public override Json Evaluate(Json input, IVariables variables)
        {
            var text = new StringBuilder();
            foreach (var part in parts)
            {
                var value = part.Evaluate(input, variables);
                text.Append(value.StringOrNull ?? value.ToString());
            }
            return text.ToString();
        }
    }

    private sealed class Items(Template[] items) : Template
    {
        public override IEnumerable<string> Variables => items.SelectMany(i => i.Variables);

        public override Json Evaluate(Json input, IVariables variables)
        {
            var values = new Json[items.Length];
            for (var i = 0; i < items.Length; i++) values[i] = items[i].Evaluate(input, variables);
            return JsonArray.Of(values);
        }
    }

    private sealed class Members(KeyValuePair<string, Template>[] members) : Template
    {
        public override IEnumerable<string> Variables => members.SelectMany(m => m.Value.Variables);

        public override Json Evaluate(Json input, IVariables variables)
        {
            var built = new JsonObject.Builder(members.Length);
            foreach (var (key, member) in members) built.Set(key, member.Evaluate(input, variables));
            return built.Build();
        }
    }
}
