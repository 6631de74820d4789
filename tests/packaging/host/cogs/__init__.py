"""Cogs of the host's own."""

import discord
from discord import app_commands
from discord.ext import commands

OWNER = "host"


class Hello(commands.Cog, name="Setup"):
    @app_commands.command(description="Says hello")
    async def hello(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Hello from the host")
