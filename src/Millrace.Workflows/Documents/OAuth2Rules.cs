using Millrace.Jq;

namespace Millrace.Workflows.Documents;

/// <summary>
/// What the grant and the client of an oauth2 or oidc authentication need besides the shape that its schema gives (dsl-reference.md, OAUTH2
/// Authentication; docs/decisions/0010-oauth2-grants.md). Parameters that a secret holds are checked when they are used.
/// </summary>
internal static class OAuth2Rules
{
    private const string RefreshTokenType = "urn:ietf:params:oauth:token-type:refresh_token";

    public static void Check(Compilation of, Cursor parameters)
    {
        if (!parameters.Is(JsonKind.Object) || !parameters["use"].IsAbsent || of.Findings.IsWrong(parameters["grant"].Pointer)) return;
        CheckGrant(of, parameters);
        CheckClient(of, parameters);
    }

    private static void CheckGrant(Compilation of, Cursor parameters)
    {
        switch (parameters["grant"].Text)
        {
            case "authorization_code":
                of.Findings.AtValue(Findings.Unsupported, parameters["grant"].Pointer,
                    "The grant 'authorization_code' needs a code that a person's browser brings, its redirect URI and its verifier, and the language has no place for them.",
                    "refresh_token, with the refresh token of a consent given before as the subject");
                break;
            case "password":
                Need(of, parameters, "username", "The grant 'password'");
                Need(of, parameters, "password", "The grant 'password'");
                break;
            case "refresh_token":
                Need(of, parameters, "subject", "The grant 'refresh_token'", $"subject: {{token: the refresh token, type: {RefreshTokenType}}}");
                if (parameters["subject"]["type"] is { Text: { } type } at && type != RefreshTokenType)
                    of.Findings.AtValue("workflow.bad_value", at.Pointer, "The subject of the grant 'refresh_token' has to be a refresh token.", RefreshTokenType);
                break;
            case "urn:ietf:params:oauth:grant-type:token-exchange":
                Need(of, parameters, "subject", "An exchange of tokens", "subject: {token: the token to exchange, type: its type}");
                break;
        }
    }

    private static void CheckClient(Compilation of, Cursor parameters)
    {
        var client = parameters["client"];
        var method = client["authentication"].Text ?? "client_secret_post";
        if (method == "none") return;
        if (client.IsAbsent) Need(of, parameters, "client", "A client", "client: {id: …}, or client: {authentication: none}");
        if (!client.Is(JsonKind.Object)) return;
        var who = $"A client with the authentication '{method}'";
        Need(of, client, "id", who);
        if (method is "client_secret_basic" or "client_secret_jwt") Need(of, client, "secret", who);
        if (method == "private_key_jwt") Need(of, client, "assertion", who, "assertion: a signed JWT; a key to sign with can only stand in a secret, oauth2: {use: the secret}");
    }

    private static void Need(Compilation of, Cursor at, string name, string who, string? expected = null)
    {
        if (at[name].IsAbsent) of.Findings.AtKey("workflow.missing_property", at.Pointer, $"{who} needs the property '{name}'.", expected ?? $"{name}: a string");
    }
}
